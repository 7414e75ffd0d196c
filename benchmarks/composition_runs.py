"""Carry out cases of ``composition.py``, each in processes of its own, many at a time."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from composition_cases import SECONDS, Bench, Case

from effauto.composition import Composition
from effauto.errors import EffautoError
from effauto.execution.job import Job
from effauto.execution.pool import Worker
from effauto.plugins import load_plugins

# What importing a body needs, so that the forced cases' processes are forked with it.
PRELOADED = ["__main__", "transformers.modeling_utils", "transformers.models.auto.modeling_auto"]


def run_all(
    bench: Bench, todo: Iterable[Case], workers: int, scratch: Path, end: float
) -> Iterator[dict[str, Any]]:
    """What came of each case, as they end; none begins after ``end`` on the monotonic clock."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    places: SimpleQueue[tuple[Path, Worker]] = SimpleQueue()
    for number in range(workers):
        places.put((scratch / f"worker-{number}", Worker(["transformer"])))

    def run(case: Case) -> dict[str, Any] | None:
        started = time.monotonic()
        if started > end:
            return None
        place, worker = places.get()
        try:
            row = _outcome(bench, case, place, worker)
            return row | {"seconds": round(time.monotonic() - started, 2)}
        finally:
            places.put((place, worker))

    with ThreadPoolExecutor(workers) as pool:
        for ended in as_completed([pool.submit(run, case) for case in todo]):
            if row := ended.result():
                yield row
    while not places.empty():
        places.get()[1].stop()


def _outcome(bench: Bench, case: Case, place: Path, worker: Worker) -> dict[str, Any]:
    job = bench.job(case, place)
    shutil.rmtree(place, ignore_errors=True)
    row: dict[str, Any] = {
        "key": case.key,
        "methods": case.names,
        "kind": case.kind,
        "refused": case.refused,
        "rule": case.rule,
    }
    try:
        if case.refused:
            return row | _forced(job)
        values = worker.run(job)["values"]
        figures = worker.run(job.judging())["figures"]
        return row | {"measured": _figures(values, figures)}
    except EffautoError as error:
        return row | {"error": f"{type(error).__name__}: {error}".partition("\n")[0]}


def _figures(values: Mapping[str, float], figures: Mapping[str, Any]) -> dict[str, float]:
    quality = next(value for name, value in figures.items() if name.startswith("quality."))
    return {
        "model.size": figures["model.size"]["value"],
        "quality": quality["value"],
        **{name: values[name] for name in ("model.parameters", "train.flops", "inference.flops")},
    }


def _forced(job: Job) -> dict[str, Any]:
    """Run it in a process of its own, against the verdict."""
    context = multiprocessing.get_context("forkserver")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_force, args=(job.to_json(), there))
    process.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv() if here.poll(SECONDS) else {"error": "took too long"}
    except EOFError:
        found = {"error": "the process died"}
    process.kill()
    process.join()
    return found


def _force(data: Mapping[str, Any], answer: Any) -> None:
    from effauto.execution.judge import judge
    from effauto.execution.train import train

    Composition.require_legal = lambda self: self  # type: ignore[method-assign]
    job = Job.from_json(data)
    plugins = load_plugins()
    try:
        values = train(job, plugins.methods(), lambda what, share: None)
        figures = judge(job.judging(), plugins.methods, lambda what, share: None)
        read = {name: figure.to_json() for name, figure in figures.items()}
        answer.send({"measured": _figures(values, read)})
    except BaseException as error:
        answer.send({"error": f"{type(error).__name__}: {error}".partition("\n")[0][:300]})
