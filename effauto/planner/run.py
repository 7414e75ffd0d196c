"""Carry a plan out at full scale: train, save, reload, judge on the test split, remember."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effauto.budget import Budget
from effauto.cost import Place, Prices
from effauto.errors import EffautoError, OutputError, PlanError
from effauto.execution.artefact import MANIFEST, digest_of, size_of, write_json
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.hardware import this_machine
from effauto.machine import Hardware
from effauto.model import find_model
from effauto.planner.card import model_card
from effauto.planner.listener import Listener
from effauto.planner.plan import Plan, figures_json, recipe_json
from effauto.planner.request import DataRequest
from effauto.planner.situation import piece_counter
from effauto.plugins import Plugins
from effauto.resources import Figure, Figures
from effauto.store import Artefact, MethodVersion, Situation, Store, open_store
from effauto.task import Task, write_split

MEASUREMENT = "measurement.json"


@dataclass(frozen=True)
class Outcome:
    """What carrying out a plan gave: the folder, what was measured, which limits were kept."""

    plan: Plan
    folder: Path
    measurement: Figures
    trial: int

    @property
    def budget(self) -> Budget:
        """The plan's limits that a run can keep or break."""
        return self.plan.budget.of_phases("train", "inference", "model", "quality")

    @property
    def all_met(self) -> bool:
        return not self.budget.broken(self._values)

    @property
    def _values(self) -> dict[str, float]:
        return {name: figure.value for name, figure in self.measurement.items()}

    def to_json(self) -> dict[str, Any]:
        broken = self.budget.broken(self._values)
        return {
            "folder": str(self.folder),
            "trial": self.trial,
            "model": self.plan.model,
            "recipe": recipe_json(self.plan.recipe, self.plan.versions),
            "estimate": figures_json(self.plan.estimate),
            "measurement": figures_json(self.measurement),
            "budget": [
                limit | {"met": met not in broken}
                for limit, met in zip(self.budget.to_json(), self.budget, strict=True)
            ],
        }


def run_plan(
    plan: Plan,
    output: Path,
    plugins: Plugins,
    *,
    source: str | None = None,
    store: str | None = None,
    prices: Prices | None = None,
    place: Place | None = None,
    seed: int | None = None,
    listener: Listener | None = None,
) -> Outcome:
    """Train the plan's recipe on all the data and leave the model in ``output``.

    ``source`` replaces the plan's data, which must be the same task. Raises PlanError for an
    infeasible plan or other data, OutputError, DataError, or a TrialError if the training fails.
    """
    if plan.status == "infeasible":
        raise PlanError("this plan is infeasible, so there is nothing to run; relax the budget")
    check_output(output)
    task = _load(plan, source)
    hardware = this_machine()
    database = open_store(store)
    listener = listener or Listener()
    try:
        run = _Run(plan, task, hardware, plugins, database, place or Place(), prices or Prices())
        return run.carry_out(output, plan.seed if seed is None else seed, listener)
    finally:
        database.close()


def check_output(folder: Path) -> None:
    """Raise OutputError if a model cannot be saved there, before hours are spent on it."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise OutputError(f"{folder} holds other files; name a new folder for the model")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the model")
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder.absolute().parent):
            pass
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error


def _load(plan: Plan, source: str | None) -> Task:
    request = DataRequest.from_json(dict(plan.data) | ({"source": source} if source else {}))
    task = request.load(piece_counter(find_model(plan.model)))
    if task.fingerprint != plan.fingerprint and not source:
        raise PlanError(
            f"the data in {plan.data.get('source') or 'the demo'} have changed since the plan was "
            "made; make a new plan, or name the data to run it on: effauto run PLAN DATA"
        )
    if (task.kind, task.classes) != (plan.task.kind, plan.classes):
        raise PlanError(f"the data are another task than the plan's: {task.kind}, {task.classes}")
    return task


@dataclass
class _Run:
    plan: Plan
    task: Task
    hardware: Hardware
    plugins: Plugins
    store: Store
    place: Place
    prices: Prices

    def carry_out(self, output: Path, seed: int, listener: Listener) -> Outcome:
        trial = self._begin(seed)
        output = output.absolute()
        try:
            measured = self._measure(output, seed, listener)
        except EffautoError as error:
            self.store.fail_trial(trial, f"{type(error).__name__}: {error}")
            raise
        except BaseException:
            self.store.fail_trial(trial, "interrupted by the user", "interrupted")
            raise
        artefact = Artefact(str(output), digest_of(output), size_of(output))
        self.store.finish_trial(trial, measured, [artefact])
        outcome = Outcome(self.plan, output, measured, trial)
        _leave_papers(outcome)
        return outcome

    def _begin(self, seed: int) -> int:
        plan = self.plan
        traits = find_model(plan.model).traits
        situation = Situation(
            self.task.name, self.task.fingerprint, self.task.traits, traits, self.hardware
        )
        methods: Mapping[str, MethodVersion] = {
            name: MethodVersion(version, self.plugins.origin_of(name))
            for name, version in plan.versions.items()
        }
        return self.store.begin_trial(
            plan.recipe,
            situation,
            purpose="run",
            seed=seed,
            foretold=plan.estimate,
            methods=methods,
        )

    def _measure(self, output: Path, seed: int, listener: Listener) -> dict[str, Figure]:
        with tempfile.TemporaryDirectory(prefix="effauto-") as name, Worker() as worker:
            data = Path(name)
            write_split(self.task.train, self.task.classes, data / "train.jsonl")
            write_split(self.task.test, self.task.classes, data / "test.jsonl")
            job = Job(
                action=TRAIN,
                data=data,
                model=self.plan.model,
                recipe=self.plan.recipe,
                task=self.task.traits,
                classes=self.task.classes,
                hardware=self.hardware,
                folder=output,
                cache=data / "cache",
                seed=seed,
                plugin_folders=self.plugins.folders,
                details={"fingerprint": self.task.fingerprint},
            )
            worker.start()
            values = worker.run(job, listener.progress)
            judged = worker.run(job.judging("test"), listener.progress)["figures"]
        costs = training_figures(values["values"], self.hardware, self.place, self.prices)
        return costs | {name: Figure.from_json(figure) for name, figure in judged.items()}


def _leave_papers(outcome: Outcome) -> None:
    """Put a card and the measurements beside the model."""
    folder = outcome.folder
    try:
        write_json(folder / MEASUREMENT, outcome.to_json())
        part = folder / f".README.{os.getpid()}.part"
        part.write_text(model_card(outcome.plan, outcome.measurement), encoding="utf-8")
        part.replace(folder / "README.md")
    except OSError as error:
        raise OutputError(f"the model card cannot be written: {error.strerror}") from error
