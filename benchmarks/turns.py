"""Latencies beside the untouched model's, in turns and in processor time.

A shared machine's clock differs by a third from one minute to the next; what two models take for
the same request, one after the other, does not.
"""

from __future__ import annotations

import multiprocessing
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import Wanted, finished, key_of
from laboratory import Laboratory

from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.plugins import load_plugins
from effauto.resources import Figure, exactly
from effauto.store.entries import Purpose
from effauto.task.exchange import read_split

LATENCY = "inference.latency"
WARM_UP, REQUESTS = 5, 60


class InTurns(Laboratory):
    """A laboratory that keeps the untouched model, to ask it and each other one in turns."""

    def _measure(
        self, wanted: Wanted, number: int, worker: Worker, share: bool
    ) -> dict[Purpose, dict[str, Figure]]:
        found = super()._measure(wanted, number, worker, share)
        folder = self.scratch / f"artefact-{number}"
        base = self.scratch / f"untouched-{wanted.bench.name}"
        if not wanted.candidate.recipe.steps and not base.exists():
            shutil.copytree(folder, base)
        if not base.exists():
            return found
        first, second = in_turns(base, folder, wanted.bench.data / "test.jsonl")
        note = f"processor time, median of {REQUESTS} requests in turns with the untouched model"
        figure = exactly(self._untouched(wanted, first) * second / first, "s", note=note)
        return {p: figures | {LATENCY: figure} for p, figures in found.items()}

    def _untouched(self, wanted: Wanted, now: float) -> float:
        """Seconds of a request to the untouched model: as this seed's is known, else as now."""
        plain = replace(wanted, candidate=Candidate(wanted.candidate.model))
        measured = (r.measured for r in finished(self.store, "run") if key_of(r) == plain.key)
        known = [figures[LATENCY].value for figures in measured if LATENCY in figures]
        return known[0] if known else now


def in_turns(first: Path, second: Path, rows: Path) -> tuple[float, float]:
    """Median processor seconds of a request to each of two saved models, in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_ask, first, second, rows).result()


def _ask(first: Path, second: Path, rows: Path) -> tuple[float, float]:
    from effauto.execution.artefact import load_artefact
    from effauto.execution.device import use_threads
    from effauto.execution.train import import_libraries

    import_libraries("transformer")
    use_threads(1)
    models = [load_artefact(folder, load_plugins().methods, 1) for folder in (first, second)]
    inputs = read_split(rows)[0].inputs
    spent: list[list[float]] = [[], []]
    for number in range(WARM_UP + REQUESTS):
        for model, times in zip(models, spent, strict=True):
            started = time.process_time()
            model.predict_indices([inputs[number % len(inputs)]], 1)
            times.append(time.process_time() - started)
    a, b = (median(times[WARM_UP:]) for times in spent)
    return a, b
