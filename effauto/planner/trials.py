"""Try candidates for real, in a worker process, and note every trial in the store."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effauto.budget import Budget
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.resources import Figure, Figures
from effauto.store import Store
from effauto.task import write_split

Progress = Callable[[str, float], None]
# A trial may take this much longer than what is left of the clock, but no more than GRACE seconds.
GRACE_SHARE, GRACE = 0.05, 5.0


@dataclass
class Trials:
    """Runs trials one after the other; their data have no test split."""

    situation: Situation
    store: Store
    study: int
    worker: Worker
    folder: Path

    def __post_init__(self) -> None:
        task = self.situation.task
        self.data.mkdir(parents=True, exist_ok=True)
        write_split(task.train, task.classes, self.data / "train.jsonl")
        write_split(task.validation, task.classes, self.data / "validation.jsonl")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def answers(self) -> Path:
        return self.folder / "answers.json"

    def run(
        self, candidate: Candidate, fidelity: float, seed: int, time_left: float, progress: Progress
    ) -> Result:
        """Train on a share of the data, save, reload and judge; raise EffautoError if it fails.

        What happens is in the store in either case.
        """
        situation = self.situation
        trial = self.store.begin_trial(
            candidate.recipe,
            situation.stored(candidate.model),
            purpose="search",
            seed=seed,
            study=self.study,
            fidelity=fidelity,
            foretold=situation.oracle.foretell(candidate, fidelity),
            methods=situation.versions(candidate),
        )
        with failures_noted(self.store, trial):
            measured = self._measure(self._job(candidate, fidelity, seed), time_left, progress)
        self.store.finish_trial(trial, measured)
        result = make_result(situation, candidate, fidelity, seed, measured, trial)
        result.answers = tuple(json.loads(self.answers.read_text(encoding="utf-8")))
        return result

    def _job(self, candidate: Candidate, fidelity: float, seed: int) -> Job:
        situation = self.situation
        return Job(
            action=TRAIN,
            data=self.data,
            model=candidate.model,
            recipe=candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=self.folder / "artefact",
            cache=self.folder / "cache",
            fidelity=fidelity,
            seed=seed,
            plugin_folders=situation.request.plugin_folders,
            memory_limit=_memory_allowed(situation, candidate),
            details={
                "fingerprint": situation.task.fingerprint,
                "share_training": True,
                "answers": str(self.answers),
            },
        )

    def _measure(self, job: Job, time_left: float, progress: Progress) -> dict[str, Figure]:
        request = self.situation.request
        end = time.monotonic() + time_left + min(GRACE, GRACE_SHARE * request.search_time)
        try:
            values = self._timed(job, end, progress)["values"]
            judged = self._timed(job.judging(), end, progress)["figures"]
        finally:
            shutil.rmtree(job.folder, ignore_errors=True)
        costs = training_figures(values, job.hardware, request.place, request.prices)
        return costs | {name: Figure.from_json(figure) for name, figure in judged.items()}

    def _timed(self, job: Job, end: float, progress: Progress) -> Mapping[str, Any]:
        return self.worker.run(job.within(max(1.0, end - time.monotonic())), progress)


def _memory_allowed(situation: Situation, candidate: Candidate) -> float | None:
    """Bytes that training may take; the baseline must live to tell what others are limited by."""
    budget = situation.budget
    if candidate == situation.untouched:
        budget = Budget(tuple(limit for limit in budget if not limit.text))
    return budget.limit_on("train.memory")


@contextmanager
def failures_noted(store: Store, trial: int) -> Iterator[None]:
    """Note in the store why the block failed, or that it was interrupted."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        store.fail_trial(trial, "interrupted by the user", "interrupted")
        raise
    except BaseException as error:
        notes = "\n".join(getattr(error, "__notes__", ()))
        store.fail_trial(trial, f"{type(error).__name__}: {error}\n{notes}".strip())
        raise


def make_result(
    situation: Situation,
    candidate: Candidate,
    fidelity: float,
    seed: int,
    measured: Figures,
    trial: int | None,
) -> Result:
    """Put what was measured beside what was foretold."""
    oracle = situation.oracle
    return Result(
        candidate,
        fidelity,
        seed,
        measured,
        oracle.foretell(candidate, fidelity, raw=True),
        oracle.foretell(candidate, raw=True),
        trial,
        gradients=oracle.work(candidate).backward_passes > 0,
        derived=oracle.life,
    )
