"""Measure every method alone, beside the untouched fine-tuning, on public data sets.

    python benchmarks/methods.py --data FOLDER [--rows 2000] [--seeds 1] [--workers 1] [TASK …]

Each recipe trains on the capped training split and is judged on the whole test split, for the
table, and on the validation split, for the planner, which must not learn of test labels. Cheapest
first; recipes that train alike share the training and are charged for it. Each finished trial goes
to the store (``benchmarks/measured/results.db``) and is not made again, so stopping at any time
leaves a table that can be used. Of trials that ran beside others (``--workers``) no seconds,
energy, latency or throughput are kept, since neighbours disturb them. ``--only-write`` makes
``docs/measured.md`` from what is there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, stdev

from bench import (
    HERE,
    MODEL,
    Bench,
    Laboratory,
    Wanted,
    arguments_of,
    done,
    finished,
    grouped,
    open_results,
    quality_of,
)

from effauto.planner.candidate import Candidate
from effauto.planner.pool import singles
from effauto.plugins import load_plugins
from effauto.quantities import show
from effauto.resources import RESOURCES
from effauto.store import Store, TrialRecord, open_store
from effauto.store.entries import Purpose

STORE = HERE / "measured" / "results.db"
DOCUMENT = HERE.parent / "docs" / "measured.md"
TASKS = ("trec6", "sst2")
PURPOSES: tuple[Purpose, ...] = ("run", "search")
SHOWN = {
    "train.time": "training",
    "train.memory": "memory",
    "inference.latency": "latency",
    "model.size": "size",
}


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--only", nargs="+", metavar="METHOD", help="no methods but these")
    parser.add_argument("--only-write", action="store_true")
    arguments = arguments_of(parser, TASKS)
    if not arguments.only_write:
        measure(arguments)
    if arguments.only_write or arguments.store == STORE:
        write_document()


def measure(arguments: argparse.Namespace) -> None:
    """Every method alone, with every seed, that was not measured yet."""
    end = time.monotonic() + 60 * arguments.minutes
    store, plugins = open_results(arguments.store), load_plugins()
    benches = [Bench.of(task, arguments, plugins, store) for task in arguments.tasks]
    known = done(store, PURPOSES)
    wanted = [
        Wanted(bench, candidate, seed, PURPOSES)
        for seed in range(arguments.seeds)
        for bench in benches
        for candidate in alone(bench, arguments.model, arguments.only)
    ]
    missing = [one for one in wanted if one.key not in known]
    Laboratory(store, arguments.workers, arguments.scratch, end, end).do(grouped(missing))


def alone(bench: Bench, model: str, only: list[str] | None = None) -> list[Candidate]:
    """The untouched model and each method alone at its defaults, cheapest first."""
    situation = bench.situation
    found = [c for c in singles(situation.oracle, situation.usable) if c.model == model]
    if only is not None:
        found = [c for c in found if {step.method for step in c.recipe.steps} <= {*only}]
    return sorted(found, key=bench.seconds)


def write_document() -> None:
    """Write ``docs/measured.md`` from the store."""
    store = open_store(str(STORE))
    DOCUMENT.write_text("\n".join(_document(store)) + "\n", encoding="utf-8")


def _document(store: Store) -> Iterator[str]:
    yield "# Methods, measured"
    yield ""
    yield "Written by `python benchmarks/methods.py`. Each method alone at its defaults, beside the"
    yield "untouched fine-tuning of the same rows (×1.00); quality on the whole test split, the"
    yield "median over seeds. With fewer than three seeds, two points more or less may be noise."
    yield "A dash stands for what was not measured, since other trials ran at the same time."
    for task in TASKS:
        runs = [
            r for r in finished(store, "run", task)
            if r.model.name == MODEL and len(r.recipe.steps) < 2
        ]  # fmt: skip
        for hardware in dict.fromkeys(record.hardware for record in runs):
            here = [record for record in runs if record.hardware == hardware]
            plain = [record for record in here if not record.recipe.steps]
            if plain:
                yield from _table(task, here, plain)


def _table(task: str, runs: list[TrialRecord], plain: list[TrialRecord]) -> Iterator[str]:
    rows = plain[0].task_traits.examples
    here = plain[0].hardware
    yield ""
    yield f"## {task}, {rows} rows, {here}"
    yield ""
    base = {name: _middle(plain, name) for name in SHOWN}
    units = {name: RESOURCES[name].unit for name in SHOWN}
    shown = [
        title if (value := base[name]) is None else f"{title} ({show(value, units[name])})"
        for name, title in SHOWN.items()
    ]
    yield f"| method | seeds | quality | {' | '.join(shown)} |"
    yield "|---" * (3 + len(SHOWN)) + "|"
    by_recipe: dict[str, list[TrialRecord]] = {}
    for record in runs:
        by_recipe.setdefault(str(record.recipe), []).append(record)
    ordered = sorted(by_recipe.items(), key=lambda item: -_quality(item[1])[0])
    for name, records in ordered:
        value, spread = _quality(records)
        ratios = " | ".join(_ratio(_middle(records, cost), base[cost]) for cost in SHOWN)
        yield f"| {name} | {len(records)} | {value:.3f}{spread} | {ratios} |"


def _quality(records: list[TrialRecord]) -> tuple[float, str]:
    values = [quality_of(record) for record in records]
    return median(values), f" ± {stdev(values):.3f}" if len(values) > 1 else ""


def _middle(records: list[TrialRecord], name: str) -> float | None:
    """The median of what was measured, if it was."""
    values = [record.measured[name].value for record in records if name in record.measured]
    return median(values) if values else None


def _ratio(value: float | None, base: float | None) -> str:
    return "–" if value is None or base is None else f"×{value / base:.2f}"


if __name__ == "__main__":
    main()
