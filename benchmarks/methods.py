"""Measure every method alone, beside the untouched fine-tuning, on public data sets.

    python benchmarks/methods.py --data FOLDER [--rows 2000] [--seeds 1] [TASK …]

Each recipe trains on the capped training split and is judged on the whole test split. Cheapest
first; recipes that train alike share the training and are charged for it. Each finished trial
goes to ``benchmarks/measured/results.db`` and is not made again, so stopping at any time leaves
a table that can be used. ``--only-write`` makes ``docs/measured.md`` from what is there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

from effauto.budget import parse_budget
from effauto.errors import EffautoError
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.planner.pool import singles
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.planner.trials import failures_noted
from effauto.plugins import load_plugins
from effauto.quantities import show
from effauto.resources import QUALITY, Figure
from effauto.store import Store, TrialRecord, open_store
from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.task import write_split

HERE = Path(__file__).resolve().parent
STORE = HERE / "measured" / "results.db"
DOCUMENT = HERE.parent / "docs" / "measured.md"
TASKS = ("trec6", "sst2")
MODEL = "minilm"
SHOWN = {
    "train.time": "training",
    "train.memory": "memory",
    "inference.latency": "latency",
    "model.size": "size",
}


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--scratch", type=Path, default=HERE / "measured" / ".scratch")
    parser.add_argument("--only-write", action="store_true")
    arguments = parser.parse_args()
    if not arguments.only_write:
        end = time.monotonic() + 60 * arguments.minutes
        benches = [Bench.of(task, arguments) for task in arguments.tasks]
        for seed in range(arguments.seeds):
            for bench in benches:
                bench.measure(seed, end)
    write_document()


@dataclass
class Bench:
    """One task and everything measured on it so far."""

    name: str
    situation: Situation
    store: Store
    scratch: Path

    @classmethod
    def of(cls, name: str, arguments: argparse.Namespace) -> Bench:
        data = DataRequest(str(arguments.data / name), max_rows=arguments.rows)
        request = Request(data, MODEL, parse_budget(()), search_time=1.0, store=str(STORE))
        store = open_store(str(STORE))
        bench = cls(name, understand(request, load_plugins(), store), store, arguments.scratch)
        task = bench.situation.task
        bench.data.mkdir(parents=True, exist_ok=True)
        write_split(task.train, task.classes, bench.data / "train.jsonl")
        write_split(task.test, task.classes, bench.data / "test.jsonl")
        return bench

    @property
    def data(self) -> Path:
        return self.scratch / self.name

    def measure(self, seed: int, end: float) -> None:
        """Every method alone that was not measured with this seed, until ``end``."""
        done = {
            (r.model.name, r.recipe.key) for r in _runs(self.store, self.name) if r.seed == seed
        }
        with Worker() as worker:
            for candidate in self._candidates():
                if (candidate.model, candidate.recipe.key) in done or time.monotonic() > end:
                    continue
                started = time.monotonic()
                with suppress(EffautoError):
                    self._run(candidate, seed, worker)
                spent = time.monotonic() - started
                print(f"{self.name} seed {seed} {candidate} {spent:.0f} s", file=sys.stderr)

    def _candidates(self) -> list[Candidate]:
        situation = self.situation
        found = [c for c in singles(situation.oracle, situation.usable) if c.model == MODEL]
        return sorted(found, key=lambda c: situation.oracle.foretell(c)["train.time"].value)

    def _run(self, candidate: Candidate, seed: int, worker: Worker) -> None:
        situation, request = self.situation, self.situation.request
        trial = self.store.begin_trial(
            candidate.recipe,
            situation.stored(candidate.model),
            purpose="run",
            seed=seed,
            foretold=situation.oracle.foretell(candidate),
            methods=situation.versions(candidate),
        )
        job = self._job(candidate, seed)
        with failures_noted(self.store, trial):
            values = worker.run(job)["values"]
            judged = worker.run(job.judging("test"))["figures"]
        costs = training_figures(values, job.hardware, request.place, request.prices)
        figures = {name: Figure.from_json(figure) for name, figure in judged.items()}
        self.store.finish_trial(trial, costs | figures)

    def _job(self, candidate: Candidate, seed: int) -> Job:
        situation = self.situation
        return Job(
            action=TRAIN,
            data=self.data,
            model=candidate.model,
            recipe=candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=self.scratch / "artefact",
            cache=self.scratch / "cache",
            seed=seed,
            details={"fingerprint": situation.task.fingerprint, "share_training": True},
        )


def _runs(store: Store, task: str) -> list[TrialRecord]:
    found = trials(store, Filter(task=task, purpose="run", state="finished"))
    return [record for record in found if record.fidelity >= 1]


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
    for task in TASKS:
        runs = [r for r in _runs(store, task) if r.model.name == MODEL and len(r.recipe.steps) < 2]
        plain = [record for record in runs if not record.recipe.steps]
        if plain:
            yield from _table(task, runs, plain)


def _table(task: str, runs: list[TrialRecord], plain: list[TrialRecord]) -> Iterator[str]:
    rows = plain[0].task_traits.examples
    here = plain[0].hardware
    yield ""
    yield f"## {task}, {rows} rows, {here}"
    yield ""
    base = {name: _middle(plain, name) for name in SHOWN}
    shown = [f"{title} ({show(base[name], plain[0].measured[name].unit)})"
             for name, title in SHOWN.items()]  # fmt: skip
    yield f"| method | seeds | quality | {' | '.join(shown)} |"
    yield "|---" * (3 + len(SHOWN)) + "|"
    by_recipe: dict[str, list[TrialRecord]] = {}
    for record in runs:
        by_recipe.setdefault(str(record.recipe), []).append(record)
    ordered = sorted(by_recipe.items(), key=lambda item: -_quality(item[1])[0])
    for name, records in ordered:
        value, spread = _quality(records)
        ratios = " | ".join(f"×{_middle(records, cost) / base[cost]:.2f}" for cost in SHOWN)
        yield f"| {name} | {len(records)} | {value:.3f}{spread} | {ratios} |"


def _quality(records: list[TrialRecord]) -> tuple[float, str]:
    name = next(name for name in records[0].measured if name.startswith(QUALITY))
    values = [record.measured[name].value for record in records]
    return median(values), f" ± {stdev(values):.3f}" if len(values) > 1 else ""


def _middle(records: list[TrialRecord], name: str) -> float:
    return median(record.measured[name].value for record in records)


if __name__ == "__main__":
    main()
