"""What scripts share that measure many recipes: tasks made ready, and trials side by side.

Neighbours disturb each other's times and power, so of trials that ran beside others only what
they cannot disturb is kept: quality, operations, bytes, labels and numbers of parameters, but no
seconds, energy, latency or throughput.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from effauto.budget import parse_budget
from effauto.errors import EffautoError
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.plugins import Plugins
from effauto.resources import QUALITY, Figure
from effauto.store import Store, TrialRecord
from effauto.store.entries import Purpose
from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.store.session import open_database
from effauto.task import Task, write_split

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared" / "data"
MODEL = "minilm"
# A search's trials are judged on the validation split, so that no plan learns of test labels.
SPLITS: Mapping[Purpose, str] = {"search": "validation", "run": "test"}
UNDISTURBED = (
    "train.flops",
    "train.labels",
    "train.memory",
    "inference.flops",
    "inference.memory",
    "model.size",
    "model.parameters",
)
# Beyond this many times the operations of the untouched fine-tuning a trial tells too little.
DEAREST = 4.0
PATIENCE = 240.0
# The task's fingerprint, the machine, the model, the recipe and the seed of a training.
Key = tuple[str, str, str, str, int]


def arguments_of(
    parser: argparse.ArgumentParser, tasks: Sequence[str], rows: int = 2000
) -> argparse.Namespace:
    """Read the command line, with the options that these scripts share."""
    parser.add_argument("tasks", nargs="*", default=list(tasks))
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--rows", type=int, default=rows, help="at most so many training rows")
    parser.add_argument("--judged", type=int, help="at most so many rows to judge on")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--workers", type=int, default=1, help="trials at once")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--scratch", type=Path, default=HERE / "measured" / ".scratch")
    return parser.parse_args()


def open_results(path: Path) -> Store:
    """The results in this file, without those that came with effauto."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = Store(open_database(path, create=True))
    store.reap()
    return store


@dataclass(frozen=True)
class Bench:
    """A task whose splits lie in ``data``, and all that is known of it."""

    name: str
    situation: Situation
    data: Path

    @classmethod
    def of(cls, name: str, arguments: argparse.Namespace, plugins: Plugins, store: Store) -> Bench:
        """Load the task; what is trained beside others gets one thread."""
        source = DataRequest(str(arguments.data / name), max_rows=arguments.rows)
        request = Request(source, arguments.model, parse_budget(()), search_time=1.0)
        situation = understand(request, plugins, store)
        if arguments.workers > 1:
            situation.oracle.hardware = replace(situation.hardware, threads=1)
        bench = cls(name, situation, arguments.scratch / name)
        bench.data.mkdir(parents=True, exist_ok=True)
        write_splits(situation.task, bench.data, arguments.judged)
        return bench

    def legal(self, candidate: Candidate) -> bool:
        return self.situation.oracle.composition(candidate).legal

    def dear(self, candidate: Candidate) -> bool:
        """Whether it would take too much of the time that others need."""
        oracle = self.situation.oracle
        plain = oracle.foretell(Candidate(candidate.model))["train.flops"].value
        return oracle.foretell(candidate)["train.flops"].value > DEAREST * max(1.0, plain)

    def seconds(self, candidate: Candidate) -> float:
        """How long it should train."""
        return self.situation.oracle.foretell(candidate)["train.time"].value


def write_splits(task: Task, folder: Path, most: int | None) -> None:
    """Write the splits; those that are judged on are cut to their first ``most`` rows."""
    for split in ("train", "validation", "test"):
        examples = getattr(task, split)
        if most is not None and split != "train":
            examples = examples.select(range(min(most, len(examples))))
        write_split(examples, task.classes, folder / f"{split}.jsonl")


@dataclass(frozen=True)
class Wanted:
    """A training to be done, and the purposes for which its model is judged."""

    bench: Bench
    candidate: Candidate
    seed: int
    purposes: tuple[Purpose, ...]

    @property
    def key(self) -> Key:
        situation, candidate = self.bench.situation, self.candidate
        place = situation.task.fingerprint, situation.hardware.name
        return *place, candidate.model, candidate.recipe.key, self.seed

    @property
    def training(self) -> tuple[str, str, int]:
        """Alike where the same training leads to both."""
        part = self.bench.situation.oracle.trained_part(self.candidate)
        return self.bench.name, part.key, self.seed

    def __str__(self) -> str:
        return f"{self.bench.name} seed {self.seed} {self.candidate.described}"


def grouped(wanted: Iterable[Wanted]) -> list[list[Wanted]]:
    """Those that share a training stand together, where the first of them stood."""
    found: dict[tuple[str, str, int], list[Wanted]] = {}
    for one in wanted:
        found.setdefault(one.training, []).append(one)
    return list(found.values())


def done(store: Store, purposes: Iterable[Purpose]) -> set[Key]:
    """What was tried on this machine, also in vain, for all of these purposes."""
    each = [
        {
            (r.fingerprint, r.hardware, r.model.name, r.recipe.key, r.seed)
            for r in trials(store, Filter(purpose=purpose))
            if r.fidelity >= 1 and r.state in ("finished", "failed")
        }
        for purpose in purposes
    ]
    return set.intersection(*each)


@dataclass
class Laboratory:
    """Does what is wanted with several workers at once, and notes all in a store.

    Trials of one group are done one after the other by one worker, from one training. None begins
    after ``end``; those that run then are cut off at ``latest``, and each after ``patience``
    seconds.
    """

    store: Store
    workers: int
    scratch: Path
    end: float
    latest: float
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        self._lock = Lock()

    def do(self, groups: Iterable[Sequence[Wanted]]) -> None:
        """Take groups as workers become free; stop taking them when time is over."""
        source = iter(groups)
        with ThreadPoolExecutor(self.workers) as threads:
            for ended in [threads.submit(self._work, n, source) for n in range(self.workers)]:
                ended.result()

    def _work(self, number: int, source: Iterator[Sequence[Wanted]]) -> None:
        with Worker() as worker:
            while time.monotonic() < self.end:
                with self._lock:
                    group = next(source, None)
                if group is None:
                    return
                for wanted in group:
                    if time.monotonic() < self.end:
                        self._try(wanted, number, worker, share=len(group) > 1)

    def _try(self, wanted: Wanted, number: int, worker: Worker, share: bool) -> None:
        started = time.monotonic()
        with self._lock:
            begun = {purpose: self._begin(wanted, purpose) for purpose in wanted.purposes}
        why = ""
        try:
            figures = self._measure(wanted, number, worker, share)
            with self._lock:
                for purpose, trial in begun.items():
                    self.store.finish_trial(trial, figures[purpose])
        except EffautoError as error:
            why = self._note(error, begun.values())
        finally:
            shutil.rmtree(self.scratch / f"artefact-{number}", ignore_errors=True)
        told = f": {why}" if why else ""
        print(f"{wanted} {time.monotonic() - started:.1f} s{told}", file=sys.stderr, flush=True)

    def _begin(self, wanted: Wanted, purpose: Purpose) -> int:
        situation, candidate = wanted.bench.situation, wanted.candidate
        return self.store.begin_trial(
            candidate.recipe,
            situation.stored(candidate.model),
            purpose=purpose,
            seed=wanted.seed,
            foretold=situation.oracle.foretell(candidate),
            methods=situation.versions(candidate),
        )

    def _note(self, error: EffautoError, begun: Iterable[int]) -> str:
        """A trial that was cut off because time was over has not failed."""
        over = time.monotonic() >= self.latest
        notes = "\n".join(getattr(error, "__notes__", ()))
        told = f"{type(error).__name__}: {error}"
        with self._lock:
            for trial in begun:
                self.store.fail_trial(
                    trial, f"{told}\n{notes}".strip(), "interrupted" if over else "failed"
                )
        return f"{'cut off' if over else 'FAILED'}: {told}"

    def _measure(
        self, wanted: Wanted, number: int, worker: Worker, share: bool
    ) -> dict[Purpose, dict[str, Figure]]:
        job = self._job(wanted, number, share)
        values = worker.run(self._timed(job))["values"]
        request = wanted.bench.situation.request
        costs = training_figures(values, job.hardware, request.place, request.prices)
        found = {}
        for purpose in wanted.purposes:
            judged = worker.run(self._timed(job.judging(SPLITS[purpose])))["figures"]
            seen = {name: Figure.from_json(figure) for name, figure in judged.items()}
            found[purpose] = self._kept(costs | seen)
        return found

    def _kept(self, figures: Mapping[str, Figure]) -> dict[str, Figure]:
        if self.workers == 1:
            return dict(figures)
        return {
            name: figure
            for name, figure in figures.items()
            if name in UNDISTURBED or name.startswith(QUALITY)
        }

    def _timed(self, job: Job) -> Job:
        return job.within(max(1.0, min(self.patience, self.latest - time.monotonic())))

    def _job(self, wanted: Wanted, number: int, share: bool) -> Job:
        situation = wanted.bench.situation
        details: dict[str, Any] = {"fingerprint": situation.task.fingerprint}
        return Job(
            action=TRAIN,
            data=wanted.bench.data,
            model=wanted.candidate.model,
            recipe=wanted.candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=self.scratch / f"artefact-{number}",
            cache=self.scratch / "cache",
            seed=wanted.seed,
            details=details | ({"share_training": True} if share else {}),
        )


def quality_of(record: TrialRecord) -> float:
    """The trial's quality, whatever its metric."""
    return next(f.value for name, f in record.measured.items() if name.startswith(QUALITY))


def finished(store: Store, purpose: Purpose, task: str | None = None) -> list[TrialRecord]:
    """Finished trials of this purpose at full scale."""
    found = trials(store, Filter(task=task, purpose=purpose, state="finished"))
    return [record for record in found if record.fidelity >= 1]
