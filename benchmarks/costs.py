"""Measure what recipes cost beside what was foretold, and write how far apart the two are.

    python benchmarks/costs.py [--seed 1] [--cases 120] [--only PASS] [--at-most N]
    python benchmarks/costs.py --write

Each case is a random legal recipe on one of four models and a made-up task. Passes each have a
file ``benchmarks/measured/costs.PASS.SEED.jsonl`` with a line a case, so that they can be stopped
and go on where they were: ``counts`` (operations and bytes), ``traces`` (what following the recipe
on tensors without numbers finds), ``times`` (seconds: on a machine that does nothing else) and
``energy`` (for a few cases).
``--write`` makes the tables of ``docs/benchmarks.md`` from what is there: estimates are made anew
each time, so they are those of the code as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cost_cases import Case, draw_case, drawn_before, read_rows
from cost_works import followed_work, lengths_of

from effauto.cost.trace import Trace
from effauto.errors import EffautoError
from effauto.execution.job import TRACE, TRAIN, Job
from effauto.execution.pool import Worker
from effauto.hardware import calibrate, this_machine
from effauto.hardware.products import SAMPLES, product_seconds
from effauto.machine import Hardware
from effauto.method import Method
from effauto.plugins import load_plugins
from effauto.task.exchange import read_split

HERE = Path(__file__).resolve().parent
MACHINE = HERE / "measured" / "costs.machine.json"
METER = HERE / "cost_meter.py"
FOLDER = Path(tempfile.gettempdir()) / "effauto-costs"
MOST_SECONDS = 900.0
# Recipes are measured on one thread, whose processor time others on the machine disturb least.
THREADS = 1
# Each product of a recipe is timed for the first cases only, since that takes longer than the rest.
PRODUCTS_UNTIL = 8
Values = dict[str, Any]


def main() -> None:
    """Measure what is missing, or write the tables."""
    arguments = _arguments()
    if arguments.write:
        from cost_tables import write

        write()
        return
    methods = load_plugins().methods()
    for what in [arguments.only] if arguments.only else ["counts", "traces"]:
        with Worker(("transformer",), program=(str(METER),)) as worker:
            bench = Bench(what, arguments.seed, methods, _machine(what), worker)
            bench.measure(arguments.cases, arguments.at_most)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(PASSES))
    parser.add_argument("--at-most", type=int, default=10**6, metavar="N")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def path_of(what: str, seed: int) -> Path:
    return HERE / "measured" / f"costs.{what}.{seed}.jsonl"


def _machine(what: str) -> Hardware:
    """The machine with one thread, its rates measured if seconds are to be foretold."""
    if what != "times":
        return replace(this_machine(calibrated_if_cached=False), threads=THREADS)
    os.environ["EFFAUTO_CACHE_DIR"] = str(FOLDER / "cache")  # the user's own keeps its threads
    hardware = this_machine()
    if not (hardware.calibrated and hardware.threads == THREADS):
        hardware = calibrate(THREADS)
    MACHINE.write_text(json.dumps(hardware.to_json(), indent=1) + "\n", encoding="utf-8")
    return hardware


@dataclass(frozen=True)
class Bench:
    """One pass over the cases of a seed."""

    what: str
    seed: int
    methods: Mapping[str, Method]
    hardware: Hardware
    worker: Worker

    def measure(self, cases: int, at_most: int) -> None:
        """Append a row for each case that is not there yet, but no more than so many."""
        path = path_of(self.what, self.seed)
        done = {row["case"]["number"] for row in read_rows(path)}
        with path.open("a", encoding="utf-8") as file:
            for number in [number for number in range(cases) if number not in done][:at_most]:
                started = time.monotonic()
                row = self._row(number)
                file.write(json.dumps(row) + "\n")
                file.flush()
                ended = row["failed"] or f"{time.monotonic() - started:.0f} s"
                shown = f"{row['case']['model']}: {' + '.join(row['methods']) or 'untouched'}"
                print(f"{self.what} {number} {shown}: {ended}", file=sys.stderr)

    def _row(self, number: int) -> dict[str, Any]:
        case, source, task = self._case(number)
        job = self._job(case, task, source.name)
        row: dict[str, Any] = {
            "case": case.to_json(),
            "methods": [step.method for step in case.recipe.steps],
            "task": task.to_json(),
            "traits": source.traits.to_json() | {"name": case.model},
            "measured": {},
            "failed": "",
        }
        try:
            with tempfile.TemporaryDirectory(dir=FOLDER) as apart:
                row["measured"] = PASSES[self.what](self, job, row, Path(apart))
        except EffautoError as error:
            row["failed"] = str(error)[-300:]
        return row

    def _case(self, number: int) -> Any:
        """The case as it was drawn by a pass before, or drawn now."""
        folder = FOLDER / "case"
        for row in read_rows(path_of("counts", self.seed)):
            if row["case"]["number"] == number:
                return drawn_before(row["case"], folder)
        return draw_case(number, self.seed, self.methods, folder, self.hardware)

    def _job(self, case: Case, task: Any, model: str) -> Job:
        folder = FOLDER / "case"
        return Job(
            action=TRAIN,
            data=folder,
            model=model,
            recipe=case.recipe,
            task=task,
            classes=read_split(folder / "train.jsonl")[1],
            hardware=self.hardware,
            folder=folder,
            cache=folder,
            time_limit=MOST_SECONDS,
        )


def _counted(bench: Bench, job: Job, row: Mapping[str, Any], apart: Path) -> Values:
    """What can be counted on a machine that does other work too."""
    counting = _within(replace(job, action="count"), apart / "counted")
    counted: Values = bench.worker.run(counting)
    return counted | bench.worker.run(replace(counting, action="weigh"))


def _traced(bench: Bench, job: Job, row: Mapping[str, Any], apart: Path) -> Values:
    """What following the recipe on tensors without numbers finds, at the lengths foretold."""
    work = followed_work(row, bench.methods, bench.hardware, frozenset())
    tracing = replace(_within(job, apart / "traced"), action=TRACE, details=lengths_of(work))
    found: Values = bench.worker.run(tracing)
    return found


def _timed(bench: Bench, job: Job, row: Mapping[str, Any], apart: Path) -> Values:
    """Seconds, which mean something only where nothing else runs."""
    traced = _traced(bench, job, row, apart)["trace"]
    found = [*Trace.from_json(traced).products, *SAMPLES.values()]
    clocking = _within(replace(job, action="clock"), apart / "clocked")
    clocked = bench.worker.run(clocking)
    answered = bench.worker.run(replace(clocking, action="answer"))
    some = row["case"]["number"] < PRODUCTS_UNTIL
    products = product_seconds(found, bench.hardware) if some else {}
    return {
        **clocked,
        **answered,
        "trace": traced,
        "products": [[list(product), list(times)] for product, times in products.items()],
    }


def _energetic(bench: Bench, job: Job, row: Mapping[str, Any], apart: Path) -> Values:
    """What codecarbon and effauto say that a training takes."""
    found: Values = bench.worker.run(_within(replace(job, action="carbon"), apart / "metered"))
    return found


PASSES: dict[str, Callable[[Bench, Job, Mapping[str, Any], Path], Values]] = {
    "counts": _counted,
    "traces": _traced,
    "times": _timed,
    "energy": _energetic,
}


def _within(job: Job, folder: Path) -> Job:
    """The same job with its own places, so that nothing is taken from a cache."""
    folder.mkdir()
    data = job.to_json() | {"folder": str(folder / "artefact"), "cache": str(folder / "cache")}
    return Job.from_json(data)


if __name__ == "__main__":
    main()
