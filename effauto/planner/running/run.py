"""Carry a plan out at full scale: train, save, reload, judge on the test split, remember."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from effauto.composition import compose
from effauto.cost import Place, Prices
from effauto.cost.account import Tariff
from effauto.cost.life import life_figures
from effauto.errors import OutputError, PlanError
from effauto.execution.artefact import MANIFEST, digest_of, replace_folder, size_of
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.hardware import this_machine
from effauto.listener import Listener
from effauto.machine import Hardware
from effauto.model import find_model
from effauto.model.scratch import make_models
from effauto.planner.answers.plan import Plan
from effauto.planner.request import DataRequest
from effauto.planner.running.outcome import Outcome
from effauto.planner.situation import piece_counter
from effauto.planner.trials.trial import failures_noted
from effauto.plugins import Plugins
from effauto.resources import Figure
from effauto.store import Artefact, MethodVersion, Situation, Store, open_store
from effauto.task import Task, write_split
from effauto.task.traits import CountTokens
from effauto.traits import PLAIN_TEXT
from effauto.workload import BASELINE


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

    ``source`` replaces the plan's data, which must be the same task; ``prices`` and ``place`` its
    own. Raises PlanError for an infeasible plan or other data, IllegalRecipe for one that cannot
    run here, OutputError, DataError, or a TrialError if the training fails.
    """
    if plan.status == "infeasible" or plan.infeasible:
        raise PlanError("this plan is infeasible, so there is nothing to run; relax the budget")
    prices, place = prices or plan.prices, place or plan.place
    prices.require_for(plan.budget)
    check_output(output)
    task = _load(plan, source)
    if task.tokenizer:
        make_models(task.tokenizer, BASELINE.max_tokens)
    traits, hardware = find_model(plan.model).traits, this_machine()
    compose(plan.recipe, plugins.methods(), task.traits, traits, hardware).require_legal()
    database = open_store(store)
    try:
        run = _Run(plan, task, hardware, plugins, database, prices, place)
        seed = plan.seed if seed is None else seed
        listener = listener or Listener()
        outcome = run.carry_out(output.absolute(), seed, listener)
    finally:
        database.close()
    listener.carried_out(outcome)
    return outcome


def check_output(folder: Path) -> None:
    """Raise OutputError if a model cannot be saved there, before hours are spent on it."""
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file; name a folder for the model")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
            raise OutputError(f"{folder} holds other files; name a new folder for the model")
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix="."):
            pass
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error


def _load(plan: Plan, source: str | None) -> Task:
    request = DataRequest.from_json(dict(plan.data) | ({"source": source} if source else {}))
    task = request.load(_counter(plan, request))
    if task.fingerprint != plan.fingerprint and not source:
        raise PlanError(
            f"the data in {plan.data.get('source') or 'the demo'} have changed since the plan was "
            "made; make a new plan, or name the data to run it on: effauto run PLAN DATA"
        )
    if (task.kind, task.classes) != (plan.task.kind, plan.classes):
        raise PlanError(
            f"the data are another task than the plan's: {task.kind} into "
            f"{', '.join(task.classes)[:200]}"
        )
    return task


def _counter(plan: Plan, request: DataRequest) -> CountTokens | None:
    """Of the plan's model; text that is to be learnt from scratch has a tokenizer of its own."""
    if request.kind in PLAIN_TEXT:
        return None
    return piece_counter(find_model(plan.model))


@dataclass
class _Run:
    plan: Plan
    task: Task
    hardware: Hardware
    plugins: Plugins
    store: Store
    prices: Prices
    place: Place

    def carry_out(self, output: Path, seed: int, listener: Listener) -> Outcome:
        """Make everything in a folder beside ``output``, then put it in its place at once."""
        trial = self._begin(seed)
        making = output.with_name(f".{output.name}.{os.getpid()}.part")
        with failures_noted(self.store, trial):
            try:
                measured = self._measure(making / "model", seed, listener)
                outcome = Outcome(self.plan, output, measured, trial)
                _put_in_place(outcome, making / "model")
            finally:
                shutil.rmtree(making, ignore_errors=True)
        artefact = Artefact(str(output), digest_of(output), size_of(output))
        self.store.finish_trial(trial, measured, [artefact])
        return outcome

    def _begin(self, seed: int) -> int:
        plan, task = self.plan, self.task
        traits = find_model(plan.model).traits
        methods = {
            name: MethodVersion(version, self.plugins.origin_of(name))
            for name, version in plan.versions.items()
        }
        return self.store.begin_trial(
            plan.recipe,
            Situation(task.name, task.fingerprint, task.traits, traits, self.hardware),
            purpose="run",
            seed=seed,
            foretold=plan.estimate,
            methods=methods,
        )

    def _measure(self, folder: Path, seed: int, listener: Listener) -> dict[str, Figure]:
        families = {find_model(self.plan.model).traits.family}
        with tempfile.TemporaryDirectory(prefix="effauto-") as name, Worker(families) as worker:
            job = self._job(Path(name), folder, seed)
            write_split(self.task.train, self.task.classes, job.data / "train.jsonl")
            write_split(self.task.test, self.task.classes, job.data / "test.jsonl")
            values = worker.run(job, listener.progress)["values"]
            judged = worker.run(job.judging("test"), listener.progress)["figures"]
        costs = training_figures(values, self.hardware, self.place, self.prices)
        figures = costs | {name: Figure.from_json(figure) for name, figure in judged.items()}
        tariff = Tariff(self.hardware, self.prices, self.place)
        return figures | dict(life_figures(figures, self.plan.use, tariff))

    def _job(self, data: Path, folder: Path, seed: int) -> Job:
        return Job(
            action=TRAIN,
            data=data,
            model=self.plan.model,
            recipe=self.plan.recipe,
            task=self.task.traits,
            classes=self.task.classes,
            hardware=self.hardware,
            folder=folder,
            cache=data / "cache",
            seed=seed,
            plugin_folders=self.plugins.folders,
            details={"fingerprint": self.task.fingerprint},
        )


def _put_in_place(outcome: Outcome, made: Path) -> None:
    try:
        outcome.leave_papers(made)
        replace_folder(made, outcome.folder)
    except OSError as error:
        raise OutputError(
            f"the model cannot be put in {outcome.folder}: {error.strerror}"
        ) from error
