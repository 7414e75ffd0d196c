"""Measure every method alone, beside the untouched fine-tuning, on public data sets.

    python benchmarks/methods.py --data FOLDER [--rows 2000] [--seeds 3] [--workers 1] [TASK …]

Each recipe trains on the capped training split and is judged on the whole test split, for the
table, and on the validation split, for the planner, which must not learn of test labels. Cheapest
first; recipes that train alike share the training and are charged for it. The first seed is for
all methods, the others for those whose effect lies within two points. Each finished trial goes
to the store (``benchmarks/measured/results.db``) and is not made again, nor one that
``benchmarks/measured/trials.jsonl`` has of any machine, so stopping at any time leaves a table that
can be used. Of trials that ran beside others (``--workers``) no seconds, energy, latency or
throughput are kept, since neighbours disturb them; one worker also tries again what has no seconds
of any seed, and asks each model in turns with the untouched one. In the end, or at once with
``--only-write``, ``registry.db``, ``docs/methods.md`` and the cards are made from what is there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median

import registry
from bench import (
    HERE,
    Bench,
    Key,
    Versions,
    Wanted,
    arguments_of,
    done,
    finished,
    grouped,
    key_of,
    open_results,
)
from laboratory import Laboratory
from turns import InTurns

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import singles
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.store import Store, TrialRecord
from effauto.store.effects import effects
from effauto.store.entries import Purpose
from effauto.store.session import open_shipped

STORE = HERE / "measured" / "results.db"
TASKS = ("trec6", "sst2")
# Effects of up to two points may be noise of one seed; some methods train for very long.
CLOSE, PATIENCE = 0.02, 3600.0
PURPOSES: tuple[Purpose, ...] = ("run", "search")


def main() -> None:
    """Measure what is missing, then publish it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="also what came with effauto")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--only", metavar="METHOD,…", help="no methods but these")
    parser.add_argument("--only-write", action="store_true")
    arguments = arguments_of(parser, TASKS)
    if not arguments.only_write:
        measure(arguments)
    if arguments.only_write or arguments.store == STORE:
        publish()


def measure(arguments: argparse.Namespace) -> None:
    """Every method alone, with every seed, that was not measured yet; then what has no seconds."""
    end = time.monotonic() + 60 * arguments.minutes
    store, plugins = open_results(arguments.store), load_plugins()
    only = arguments.only.split(",") if arguments.only else [*plugins.methods()]
    if unknown := {*only} - plugins.methods().keys():
        raise SystemExit(f"there is no method {' nor '.join(sorted(unknown))}")
    versions = plugins.versions()
    benches = [Bench.of(task, arguments, plugins, store) for task in arguments.tasks]
    kind = InTurns if arguments.workers == 1 else Laboratory
    laboratory = kind(store, arguments.workers, arguments.scratch, end, end, PATIENCE)
    for seed in range(arguments.seeds):
        runs = [*shipped(arguments, versions), *finished(store, "run", versions=versions)]
        close = undecided(runs) if seed else None
        for bench in benches:
            found = alone(bench, arguments.model, only)
            if close is not None:
                found = [one for one in found if (bench.name, one.recipe.key) in close]
            wanted = [Wanted(bench, one, seed, PURPOSES) for one in found]
            laboratory.do(grouped(missing(wanted, done(store, PURPOSES, versions), runs)))
    if arguments.workers == 1:
        for bench in benches:
            runs = finished(store, "run", versions=versions)
            laboratory.do(grouped(untimed(bench, alone(bench, arguments.model, only), runs)))


def shipped(arguments: argparse.Namespace, versions: Versions) -> list[TrialRecord]:
    """Runs that came with effauto, of any machine, unless all is to be measured anew."""
    if arguments.anew:
        return []
    with closing(Store(open_shipped(registry.REGISTRY))) as store:
        return finished(store, "run", versions=versions)


def undecided(runs: list[TrialRecord]) -> set[tuple[str, str]]:
    """Task and recipe of what lies within two points of the untouched model, and that itself."""
    seen = [*effects(runs)]
    close = {(e.task, e.recipe.key) for e in seen if abs(median(e.quality)) <= CLOSE}
    return close | {(effect.task, Recipe().key) for effect in seen}


def missing(wanted: list[Wanted], known: set[Key], runs: list[TrialRecord]) -> list[Wanted]:
    """What no machine has tried beside its untouched model, which is trained on this one."""
    here = known | {key_of(run) for run in runs}
    anywhere = {
        (task, model, recipe, seed)
        for task, machine, model, recipe, seed in here
        if (task, machine, model, Recipe().key, seed) in here
    }
    found = [one for one in wanted if (one.key[0], *one.key[2:]) not in anywhere]
    found.sort(key=lambda one: bool(one.candidate.recipe.steps))  # all others are compared to it
    plain = [one for one in wanted if not one.candidate.recipe.steps and one.key not in here]
    return found if not found or plain == [] or plain[0] in found else [*plain, *found]


def untimed(bench: Bench, found: list[Candidate], runs: list[TrialRecord]) -> list[Wanted]:
    """What no seed has seconds of beside the untouched model's, on this machine."""
    here = [r for r in runs if r.hardware == bench.situation.hardware.name]
    timed = {(e.task, e.recipe.key) for e in effects(here) if "train.time" in e.ratios}
    found = [one for one in found if (bench.name, one.recipe.key) not in timed]
    found.sort(key=lambda one: bool(one.recipe.steps))
    return [Wanted(bench, one, 0, PURPOSES) for one in found]


def alone(bench: Bench, model: str, only: list[str]) -> list[Candidate]:
    """The untouched model and each method alone at its defaults, cheapest first.

    A method that cannot be alone stands with the one beside which it trains fastest.
    """
    situation = bench.situation
    found = [c for c in singles(situation.oracle, situation.usable) if c.model == model]
    seen = {step.method for candidate in found for step in candidate.recipe.steps}
    for name in sorted(situation.usable[model].keys() - seen):
        pairs = (Candidate(model, Recipe.of(name, other)) for other in sorted(seen))
        found += sorted(filter(bench.legal, pairs), key=bench.seconds)[:1]
    steps = {c: {step.method for step in c.recipe.steps} for c in found}
    found = [c for c in found if not steps[c] or steps[c] & {*only}]
    return sorted(found, key=bench.seconds)


def publish() -> None:
    """Put the store's trials into what ships with effauto, and show them in docs/ and the cards."""
    if STORE.exists():
        registry.collect([STORE])
    registry.build()
    subprocess.run([sys.executable, HERE.parent / "docs" / "generate.py"], check=True)


if __name__ == "__main__":
    main()
