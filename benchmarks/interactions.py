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
from turns import InTurns

from effauto.planner.candidate import Candidate
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.store import Store
from effauto.store.effects import Together, effects, together
from effauto.store.entries import Purpose

STORE = HERE / "measured" / "interactions.db"
PURPOSES: tuple[Purpose, ...] = ("run",)
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
