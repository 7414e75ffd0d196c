"""Measure every method alone, beside the untouched fine-tuning, on public data sets.

    python benchmarks/methods.py --data FOLDER [--rows 2000] [--seeds 3] [--workers 1] [TASK …]

Each recipe trains on the capped training split and is judged on the whole test split, for the
table, and on the validation split, for the planner, which must not learn of test labels. Cheapest
first; recipes that train alike share the training and are charged for it. The first seed is for
all methods, the others for those whose effect lies within two points. Each finished trial goes
to the store (``benchmarks/measured/results.db``) and is not made again, nor one that
``benchmarks/measured/trials.jsonl`` has of any machine, so stopping at any time leaves a table that
can be used. Of trials that ran beside others (``--workers``) no seconds,
energy, latency or throughput are kept, since neighbours disturb them. ``--only-write`` makes
``docs/measured.md`` from what is there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median, stdev

import registry
from bench import (
    HERE,
    MODEL,
    Bench,
    Key,
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
from effauto.recipe import Recipe
from effauto.resources import RESOURCES
from effauto.store import Store, TrialRecord, open_store
from effauto.store.effects import effects
from effauto.store.entries import Purpose
from effauto.store.session import open_shipped

STORE = HERE / "measured" / "results.db"
DOCUMENT = HERE.parent / "docs" / "measured.md"
TASKS = ("trec6", "sst2")
# Effects of up to two points may be noise of one seed; some methods train for very long.
CLOSE, PATIENCE = 0.02, 3600.0
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
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="also what came with effauto")
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
    laboratory = Laboratory(store, arguments.workers, arguments.scratch, end, end, PATIENCE)
    for seed in range(arguments.seeds):
        runs = [*shipped(arguments), *finished(store, "run")]
        close = undecided(runs) if seed else None
        for bench in benches:
            found = alone(bench, arguments.model, arguments.only)
            if close is not None:
                found = [one for one in found if (bench.name, one.recipe.key) in close]
            wanted = [Wanted(bench, one, seed, PURPOSES) for one in found]
            laboratory.do(grouped(missing(wanted, done(store, PURPOSES), runs)))


def shipped(arguments: argparse.Namespace) -> list[TrialRecord]:
    """Runs that came with effauto, of any machine, unless all is to be measured anew."""
    if arguments.anew:
        return []
    with closing(Store(open_shipped(registry.REGISTRY))) as store:
        return finished(store, "run")


def undecided(runs: list[TrialRecord]) -> set[tuple[str, str]]:
    """Task and recipe of what lies within two points of the untouched model, and that itself."""
    seen = [*effects(runs)]
    close = {(e.task, e.recipe.key) for e in seen if abs(median(e.quality)) <= CLOSE}
    return close | {(effect.task, Recipe().key) for effect in seen}


def missing(wanted: list[Wanted], known: set[Key], runs: list[TrialRecord]) -> list[Wanted]:
    """What no machine has tried; its untouched model is trained on this one."""
    here = known | {
        (r.fingerprint, r.hardware, r.model.name, r.recipe.key, r.seed) for r in runs
    }  # fmt: skip
    anywhere = {(task, *rest) for task, _, *rest in here}
    found = [one for one in wanted if (one.key[0], *one.key[2:]) not in anywhere]
    found.sort(key=lambda one: bool(one.candidate.recipe.steps))  # all others are compared to it
    plain = [one for one in wanted if not one.candidate.recipe.steps and one.key not in here]
    return found if not found or plain == [] or plain[0] in found else [*plain, *found]


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
