"""Measure pairs of methods beside each of the two and the untouched model.

    python benchmarks/interactions.py --data FOLDER [--rows 400] [--seeds 3] [--minutes 30] [TASK]

For each pair A + B: the untouched model, A, B and A + B on the same rows, with the same seeds, one
at a time. A second and a third seed are trained where the pair's quality lies within two points of
what A and B alone let expect, since there one seed decides nothing. Latencies are compared in
turns: one request to the untouched model, the same one to the other, in processor time, since a
shared machine's clock says little. Results go to a store (``benchmarks/measured/interactions.db``)
and are not made again; ``registry.py --collect`` takes them to the registry, from which ``effauto
methods matrix`` and the methods' cards read them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import (
    HERE,
    Bench,
    Wanted,
    arguments_of,
    done,
    finished,
    grouped,
    open_results,
)
from laboratory import Laboratory

from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import Figure, exactly
from effauto.store import Store
from effauto.store.effects import Together, effects, together
from effauto.store.entries import Purpose
from effauto.task.exchange import read_split

STORE = HERE / "measured" / "interactions.db"
PURPOSES: tuple[Purpose, ...] = ("run",)
WARM_UP, REQUESTS = 5, 60
# Two points of quality: where one seed differs from another by as much.
CLOSE = 0.02
# What users would put together first: adaptation with what shrinks a model before, and after.
PAIRS = tuple(
    Recipe.of(*pair.split(" + "))
    for pair in (
        "int8-dynamic + layer-drop",
        "layer-drop + lora",
        "int8-dynamic + lora",
        "dynamic-padding + mixed-precision",
        "dynamic-padding + layer-drop",
        "int8-dynamic + int8-embedding",
        "ffn-pruning + layer-drop",
        "ffn-pruning + head-pruning",
        "int8-dynamic + low-rank-linear",
        "early-exit + int8-dynamic",
        "onnx-runtime + layer-drop",
        "int8-dynamic + magnitude-pruning",
        "dynamic-padding + lora",
        "near-dedup + random-subset",
        "gradient-checkpointing + optimizer",
    )
)


def main() -> None:
    """Measure what is missing, then print what came together."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--store", type=Path, default=STORE)
    arguments = arguments_of(parser, ("trec6",), rows=400)
    end = time.monotonic() + 60 * arguments.minutes
    store, plugins = open_results(arguments.store), load_plugins()
    benches = [Bench.of(task, arguments, plugins, store) for task in arguments.tasks]
    for seed in range(arguments.seeds):
        known = done(store, PURPOSES)
        wanted = (w for bench in benches for w in _wanted(bench, arguments.model, seed, store))
        missing = {one.key: one for one in wanted if one.key not in known}
        InTurns(store, 1, arguments.scratch, end, end).do(grouped(missing.values()))
    for pair in _measured(store):
        print(pair.to_json())


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
        figure = exactly(_seconds_of(base, first) * second / first, "s", note=note)
        return {p: figures | {"inference.latency": figure} for p, figures in found.items()}


def _seconds_of(base: Path, now: float) -> float:
    """The processor time of a request to the untouched model, as it was when first asked."""
    file = base.with_suffix(".seconds")
    if not file.exists():
        file.write_text(repr(now), encoding="utf-8")
    return float(file.read_text(encoding="utf-8"))


def in_turns(first: Path, second: Path, rows: Path) -> tuple[float, float]:
    """Median processor seconds of a request to each of two saved models, in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_ask, (first, second, rows))


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


def _wanted(bench: Bench, model: str, seed: int, store: Store) -> Iterator[Wanted]:
    """The untouched model, then each legal pair with its parts; later seeds only where close."""
    yield Wanted(bench, Candidate(model), seed, PURPOSES)
    clear = {pair.both.recipe for pair in _measured(store) if not _close(pair)}
    for recipe in PAIRS:
        legal = bench.legal(Candidate(model, recipe))
        if not legal or (seed and recipe in clear):
            continue
        for part in (*(Recipe((step,)) for step in recipe.steps), recipe):
            if bench.legal(Candidate(model, part)):
                yield Wanted(bench, Candidate(model, part), seed, PURPOSES)


def _measured(store: Store) -> Iterator[Together]:
    return together(effects(finished(store, "run")))


def _close(pair: Together) -> bool:
    expected = sum(median(part.quality) for part in pair.alone)
    return abs(median(pair.both.quality) - expected) <= CLOSE


if __name__ == "__main__":
    main()
