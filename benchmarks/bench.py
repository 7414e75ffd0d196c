"""What scripts share that measure many recipes: tasks made ready, and trials side by side.

Neighbours disturb each other's times and power, so of trials that ran beside others only what
they cannot disturb is kept: quality, operations, bytes, labels and numbers of parameters, but no
seconds, energy, latency or throughput.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from effauto.budget import parse_budget
from effauto.planner.candidate import Candidate
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.plugins import Plugins
from effauto.resources import QUALITY
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
# Of methods, by name: trials of other versions do not count.
Versions = Mapping[str, str]
NONE: Versions = MappingProxyType({})


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


def done(store: Store, purposes: Iterable[Purpose], versions: Versions = NONE) -> set[Key]:
    """What was tried on this machine, also in vain, for all of these purposes."""
    each = [
        {
            key_of(r)
            for r in trials(store, Filter(purpose=purpose, versions=versions))
            if r.fidelity >= 1 and r.state in ("finished", "failed")
        }
        for purpose in purposes
    ]
    return set.intersection(*each)


def key_of(record: TrialRecord) -> Key:
    """Of the training that the trial judged."""
    place = record.fingerprint, record.hardware
    return *place, record.model.name, record.recipe.key, record.seed


def quality_of(record: TrialRecord) -> float:
    """The trial's quality, whatever its metric."""
    return next(f.value for name, f in record.measured.items() if name.startswith(QUALITY))


def finished(
    store: Store, purpose: Purpose, task: str | None = None, versions: Versions = NONE
) -> list[TrialRecord]:
    """Finished trials of this purpose at full scale."""
    wanted = Filter(task=task, purpose=purpose, state="finished", versions=versions)
    found = trials(store, wanted)
    return [record for record in found if record.fidelity >= 1]
