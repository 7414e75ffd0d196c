"""What a trial is to do, and what the store is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from effauto.budget import Budget
from effauto.errors import Interrupted
from effauto.execution.crew import Done
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.planner.trials.sizing import Trial
from effauto.resources import Figure, Figures
from effauto.store import Store
from effauto.task import write_split

# A trial may take this much longer than what is left of the clock, but no more than GRACE seconds.
GRACE_SHARE, GRACE = 0.05, 5.0


@dataclass
class Trials:
    """Begins trials and notes how they end; their data have no test split."""

    situation: Situation
    store: Store
    study: int
    folder: Path

    def __post_init__(self) -> None:
        task = self.situation.task
        self.data.mkdir(parents=True, exist_ok=True)
        write_split(task.train, task.classes, self.data / "train.jsonl")
        write_split(task.validation, task.classes, self.data / "validation.jsonl")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def begin(self, trial: Trial) -> tuple[int, Job]:
        """Note in the store that a trial begins; return its number and what is to be done."""
        situation, candidate, fidelity = self.situation, trial.candidate, trial.fidelity
        seed = situation.request.seed + trial.repeat
        number = self.store.begin_trial(
            candidate.recipe,
            situation.stored(candidate.model),
            purpose="search",
            seed=seed,
            study=self.study,
            fidelity=fidelity,
            foretold=situation.oracle.foretell(candidate, fidelity),
            methods=situation.versions(candidate),
        )
        return number, self._job(number, candidate, fidelity, seed)

    def _job(self, trial: int, candidate: Candidate, fidelity: float, seed: int) -> Job:
        situation = self.situation
        return Job(
            action=TRAIN,
            data=self.data,
            model=candidate.model,
            recipe=candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=self.folder / f"artefact-{trial}",
            cache=self.folder / "cache",
            fidelity=fidelity,
            seed=seed,
            plugin_folders=situation.request.plugin_folders,
            memory_limit=_memory_allowed(situation, candidate),
            details={
                "fingerprint": situation.task.fingerprint,
                "share_training": True,
                "answers": str(self.folder / f"answers-{trial}.json"),
            },
        )

    def allowed(self, time_left: float) -> float:
        """Seconds that a trial may take: a little more than are left of the search."""
        return time_left + min(GRACE, GRACE_SHARE * self.situation.request.search_time)

    def finish(self, number: int, trial: Trial, done: Done) -> Result:
        """Note in the store what was measured, and return it."""
        situation, request = self.situation, self.situation.request
        costs = training_figures(done.values, situation.hardware, request.place, request.prices)
        judged = {name: Figure.from_json(figure) for name, figure in done.judged.items()}
        self.store.finish_trial(number, costs | judged)
        seed = request.seed + trial.repeat
        result = make_result(
            situation, trial.candidate, trial.fidelity, seed, costs | judged, number
        )
        result.answers = done.answers
        return result


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
    except BaseException as error:
        note_failure(store, trial, error)
        raise


def note_failure(store: Store, trial: int, error: BaseException) -> None:
    """Note in the store what ended a trial: itself, or that all work was interrupted."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        store.fail_trial(trial, "interrupted by the user", "interrupted")
    elif isinstance(error, Interrupted):
        store.fail_trial(trial, str(error), "interrupted")
    else:
        notes = "\n".join(getattr(error, "__notes__", ()))
        store.fail_trial(trial, f"{type(error).__name__}: {error}\n{notes}".strip())


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
