"""What a recipe costs, foretold in ever more careful ways: by formula, by trace, by pilot."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any, Literal

from effauto.cost.flops import served_tokens
from effauto.cost.ranges import Range, exact
from effauto.cost.trace import Trace
from effauto.cost.traced import traced
from effauto.errors import InputError
from effauto.execution.job import PILOT, TRACE, Job
from effauto.execution.pool import Worker
from effauto.hardware import calibrate, this_machine
from effauto.hardware.products import SAMPLES, Times, product_seconds
from effauto.listener import Listener
from effauto.planner.candidate import Candidate
from effauto.planner.request import HERE, Request
from effauto.planner.situation import Situation, understand
from effauto.plugins import Plugins
from effauto.quantities import show
from effauto.resources import Figure, Figures
from effauto.store import open_store
from effauto.task import write_split
from effauto.workload import PAD_TO, Workload

Tier = Literal["closed", "traced", "pilot"]
TIERS: tuple[Tier, ...] = ("closed", "traced", "pilot")
# How far the rest of a training is from what two of its steps took.
PILOT_ERROR = Range(0.9, 1.0, 1.2)


@dataclass(frozen=True)
class Forecast:
    """The figures of each tier for one candidate, and what is to be said of them."""

    candidate: Candidate
    tiers: Mapping[Tier, Figures]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.candidate.model,
            "recipe": self.candidate.recipe.to_json(),
            "tiers": {
                tier: {name: figure.to_json() for name, figure in figures.items()}
                for tier, figures in self.tiers.items()
            },
            "notes": list(self.notes),
        }


def forecast(
    request: Request, plugins: Plugins, tier: Tier, listener: Listener | None = None
) -> Forecast:
    """Foretell what the request's recipe costs by ``tier``, and by every cheaper one.

    Raises IllegalRecipe, InputError for a pilot on a machine that is not this one, and what a
    training raises.
    """
    if tier == "pilot" and request.hardware != HERE:
        raise InputError(f"{request.hardware} is not this machine: no pilot can be run on it")
    if tier != "closed" and request.hardware == HERE and not this_machine().calibrated:
        calibrate()
    store = open_store(request.store)
    try:
        situation = understand(request, plugins, store)
    finally:
        store.close()
    candidate = Candidate(request.model, request.recipe) if request.recipe else None
    return _Forecaster(situation, candidate or Candidate(request.model), listener).upto(tier)


@dataclass
class _Forecaster:
    situation: Situation
    candidate: Candidate
    listener: Listener | None
    notes: list[str] = field(default_factory=list)

    def upto(self, tier: Tier) -> Forecast:
        oracle, candidate = self.situation.oracle, self.candidate
        oracle.composition(candidate).require_legal()
        tiers: dict[Tier, Figures] = {"closed": oracle.foretell(candidate)}
        if tier != "closed":
            with Worker({oracle.models[candidate.model].traits.family}) as worker:
                self._add_tiers(tier, tiers, worker)
        return Forecast(candidate, tiers, tuple(self.notes))

    def _add_tiers(self, tier: Tier, tiers: dict[Tier, Figures], worker: Worker) -> None:
        with tempfile.TemporaryDirectory(prefix="effauto-") as name:
            data = Path(name)
            task = self.situation.task
            write_split(task.train, task.classes, data / "train.jsonl")
            if self.situation.oracle.models[self.candidate.model].traits.family == "linear":
                self.notes.append("a bag of words has no network to trace")
            else:
                tiers["traced"] = self._traced(worker, data)
            if tier == "pilot":
                tiers["pilot"] = self._piloted(worker, data, tiers["closed"])

    def _traced(self, worker: Worker, data: Path) -> Figures:
        work = self.situation.oracle.work(self.candidate)
        lengths = {
            "train_tokens": _padded(work.train_tokens / work.inputs - work.prepended),
            "request_tokens": _padded(served_tokens(work) / work.inputs),
        }
        found = Trace.from_json(self._run(worker, self._job(TRACE, data, lengths))["trace"])
        self.notes += found.notes
        hardware = self.situation.hardware
        timed = self._timed(found)
        return traced(found, work, hardware, basis=self._followed(found), timed=timed)

    def _timed(self, found: Trace) -> Times:
        """Seconds of the trace's products, where they can be had."""
        hardware = self.situation.hardware
        if self.situation.request.hardware != HERE or hardware.device != "cpu":
            return {}
        return product_seconds([*found.products, *SAMPLES.values()], hardware)

    def _followed(self, found: Trace) -> Workload:
        """The work of the methods that were traced."""
        oracle = self.situation.oracle
        steps = oracle.composition(self.candidate).steps
        followed = (step for step in steps if step[0].name not in found.skipped)
        untouched = oracle.untouched[self.candidate.model]
        return reduce(lambda work, step: step[0].cost(work, step[1]), followed, untouched)

    def _piloted(self, worker: Worker, data: Path, closed: Figures) -> Figures:
        """What was measured of a beginning, and what the rest takes at its pace."""
        values = self._run(worker, self._job(PILOT, data, {}))["values"]
        whole = exact(values["seconds"]) + PILOT_ERROR.scaled(values["left"] + self._afterwards())
        step, share = show(values["step"], "s"), values["done"]
        note = (
            f"steps of {step}; {share:.1%} of the phase was done in {show(values['seconds'], 's')}"
        )
        memory = values["train.memory"]
        return {
            "train.time": whole.figure("s", "pilot", note),
            "train.memory": Figure(memory, "byte", memory, 1.15 * memory, "pilot", note),
        }

    def _afterwards(self) -> float:
        """Seconds that methods take once training is over, by the closed form."""
        oracle = self.situation.oracle
        trained = oracle.trained_part(self.candidate)
        times = [oracle.foretell(c)["train.time"].value for c in (self.candidate, trained)]
        return max(0.0, times[0] - times[1])

    def _job(self, action: str, data: Path, details: Mapping[str, Any]) -> Job:
        situation = self.situation
        return Job(
            action=action,
            data=data,
            model=self.candidate.model,
            recipe=self.candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=data / "artefact",
            cache=data / "cache",
            seed=situation.request.seed,
            plugin_folders=situation.request.plugin_folders,
            details={"fingerprint": situation.task.fingerprint, **details},
        )

    def _run(self, worker: Worker, job: Job) -> dict[str, Any]:
        return worker.run(job, self.listener.progress if self.listener else None)


def _padded(tokens: float) -> int:
    """The nearest length that padding allows."""
    return max(PAD_TO, round(tokens / PAD_TO) * PAD_TO)
