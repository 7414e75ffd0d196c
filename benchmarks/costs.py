"""Measure what recipes cost beside what was foretold, and write how far apart the two are.

    python benchmarks/costs.py [--cases 120] [--seed 0] [--times] [--only-write]

Each case is a random legal recipe on one of four models and a made-up task. What can be counted
(operations, bytes) is appended to ``benchmarks/measured/costs.jsonl`` case by case, so it can be
stopped and goes on where it was. ``--times`` measures seconds too, into ``costs.times.jsonl``: do
so on a machine that does nothing else. ``--only-write`` makes ``docs/benchmarks.md`` from what is
there: estimates are made anew each time, so the tables are those of the code as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cost_cases import Case, draw_case, read_rows
from cost_tables import document

from effauto.errors import EffautoError
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.hardware import calibrate, this_machine
from effauto.machine import Hardware
from effauto.method import Method
from effauto.plugins import load_plugins
from effauto.task.exchange import read_split

HERE = Path(__file__).resolve().parent
COUNTS = HERE / "measured" / "costs.jsonl"
TIMES = HERE / "measured" / "costs.times.jsonl"
MACHINE = HERE / "measured" / "costs.machine.json"
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"
METER = HERE / "cost_meter.py"
FOLDER = Path(tempfile.gettempdir()) / "effauto-costs"
MOST_SECONDS = 240.0
Values = dict[str, float]
# A better estimate that has to run something: its name, and a function of the job and the methods
# that gives each resource's low, value and high. It is called where the case is measured.
TIERS: dict[str, Callable[[Job, Mapping[str, Method]], dict[str, list[float]]]] = {}


def main() -> None:
    """Measure what is missing, then write the tables."""
    arguments = _arguments()
    if not arguments.only_write:
        hardware = _machine(arguments.times)
        _measure(arguments, hardware, COUNTS, _counted)
        if arguments.times:
            _measure(arguments, hardware, TIMES, _timed)
    text = document(read_rows(COUNTS), read_rows(TIMES), json.loads(MACHINE.read_text()))
    DOCUMENT.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--only-write", action="store_true")
    return parser.parse_args()


def _machine(times: bool) -> Hardware:
    """The machine, its rates measured if seconds are to be foretold."""
    hardware = calibrate() if times else this_machine(calibrated_if_cached=False)
    if times or not MACHINE.exists():
        MACHINE.write_text(json.dumps(hardware.to_json(), indent=1) + "\n", encoding="utf-8")
    return hardware


def _measure(
    arguments: argparse.Namespace,
    hardware: Hardware,
    path: Path,
    measured: Callable[[Job, Worker, Path], Values],
) -> None:
    """Append a row for each case that ``path`` does not have."""
    methods = load_plugins().methods()
    done = {row["case"]["number"] for row in read_rows(path)}
    with Worker(("transformer",)) as worker, path.open("a", encoding="utf-8") as file:
        for number in range(arguments.cases):
            if number in done:
                continue
            started = time.monotonic()
            row = _row(number, arguments.seed, methods, hardware, worker, measured)
            file.write(json.dumps(row) + "\n")
            file.flush()
            what = row["failed"] or f"{time.monotonic() - started:.0f} s"
            shown = f"{row['case']['model']}: {' + '.join(row['methods']) or 'untouched'}"
            print(f"{number} {shown}: {what}", file=sys.stderr)


def _row(
    number: int,
    seed: int,
    methods: Mapping[str, Method],
    hardware: Hardware,
    worker: Worker,
    measured: Callable[[Job, Worker, Path], Values],
) -> dict[str, Any]:
    folder = FOLDER / "case"
    case, source, task = draw_case(number, seed, methods, folder, hardware)
    job = _job(case, task, hardware, folder, source.name)
    row: dict[str, Any] = {
        "case": case.to_json(),
        "methods": [step.method for step in case.recipe.steps],
        "task": task.to_json(),
        "traits": source.traits.to_json() | {"name": case.model},
        "measured": {},
        "tiers": {},
        "failed": "",
    }
    try:
        with tempfile.TemporaryDirectory(dir=FOLDER) as apart:
            row["measured"] = measured(job, worker, Path(apart))
            row["tiers"] = {name: foretell(job, methods) for name, foretell in TIERS.items()}
    except (EffautoError, subprocess.CalledProcessError) as error:
        row["failed"] = str(getattr(error, "stderr", None) or error)[-300:]
    return row


def _job(case: Case, task: Any, hardware: Hardware, folder: Path, model: str) -> Job:
    classes = read_split(folder / "train.jsonl")[1]
    return Job(
        action=TRAIN,
        data=folder,
        model=model,
        recipe=case.recipe,
        task=task,
        classes=classes,
        hardware=hardware,
        folder=folder,
        cache=folder,
        time_limit=MOST_SECONDS,
    )


def _counted(job: Job, worker: Worker, apart: Path) -> Values:
    """What can be counted on a machine that does other work too."""
    values = _worked(job, worker, apart)
    kept = (
        "train.memory",
        "inference.memory",
        "inference.flops",
        "model.size",
        "model.parameters",
        "train.labels",
    )
    return {name: values[name] for name in kept} | _child(job, apart, "count")


def _timed(job: Job, worker: Worker, apart: Path) -> Values:
    """Seconds, which mean something only where nothing else runs."""
    values = _worked(job, worker, apart)
    kept = ("train.time", "train.cpu_time", "inference.latency", "inference.throughput")
    return {name: values[name] for name in kept} | _child(job, apart, "time")


def _worked(job: Job, worker: Worker, apart: Path) -> Values:
    """What the worker reports of training the recipe and of judging the model."""
    job = _within(job, apart / "worked")
    trained = worker.run(job)["values"]
    judged = worker.run(job.judging())["figures"]
    return trained | {name: figure["value"] for name, figure in judged.items()}


def _child(job: Job, apart: Path, what: str) -> Values:
    job = _within(job, apart / what)
    path = apart / f"{what}.json"
    path.write_text(json.dumps(job.to_json()), encoding="utf-8")
    command = [sys.executable, str(METER), str(path), what]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    values: Values = json.loads(done.stdout)
    return values


def _within(job: Job, folder: Path) -> Job:
    """The same job with its own places, so that nothing is taken from a cache."""
    folder.mkdir()
    data = job.to_json() | {"folder": str(folder / "artefact"), "cache": str(folder / "cache")}
    return Job.from_json(data)


if __name__ == "__main__":
    main()
