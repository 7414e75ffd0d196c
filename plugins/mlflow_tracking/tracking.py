"""Runs of MLflow: one a search, one beneath it for each trial, one for each model that was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effauto import Recipe

EXPERIMENT = "effauto"
PARENT = "mlflow.parentRunId"
NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
# What a run's folder holds beside the model, which is large and stays where it is.
PAPERS = ("README.md", "recipe.json", "measurement.json", "requirements.txt")
LONGEST = 500  # characters that every MLflow server takes in a value


class Tracker:
    """Writes to the server that ``MLFLOW_TRACKING_URI`` names, in the experiment that
    ``MLFLOW_EXPERIMENT_NAME`` names, else ``effauto``.
    """

    def __init__(self) -> None:
        from mlflow import MlflowClient
        from mlflow.environment_variables import MLFLOW_EXPERIMENT_NAME

        self._client: Any = MlflowClient()
        name = MLFLOW_EXPERIMENT_NAME.get() or EXPERIMENT
        found = self._client.get_experiment_by_name(name)
        self._place = found.experiment_id if found else self._client.create_experiment(name)
        self._search: str | None = None

    def begin(self) -> None:
        """The run of the search, once."""
        if self._search is None:
            self._search = self._begin("search")

    def tried(self, result: Any) -> None:
        """A trial with its settings and all that was measured."""
        self.begin()
        run = self._begin(str(result.candidate.described), {PARENT: str(self._search)})
        scale = {"fidelity": result.fidelity, "seed": result.seed}
        self._params(run, _params(result.candidate.model, result.candidate.recipe) | scale)
        self._metrics(run, result.measured)
        self._client.set_terminated(run)

    def failed(self, candidate: Any, error: str) -> None:
        """A trial that did not finish, and why."""
        self.begin()
        run = self._begin(str(candidate.described), {PARENT: str(self._search), NOTE: error})
        self._params(run, _params(candidate.model, candidate.recipe))
        self._client.set_terminated(run, "FAILED")

    def planned(self, plan: Any) -> None:
        """The plan, as the result of its search; ``estimate.`` stands before what it foretells."""
        self.begin()
        run = str(self._search)
        self._client.set_tag(run, NAME, f"plan for {plan.task_name}")
        self._client.set_tag(run, "effauto.status", plan.status)
        asked = {"task": plan.task_name, "hardware": plan.hardware.name}
        asked |= {"budget": "; ".join(map(str, plan.budget))}
        self._params(run, _params(plan.model, plan.recipe) | asked)
        self._metrics(run, plan.estimate, "estimate.")
        self._metrics(run, plan.measurement)
        self._client.log_text(run, json.dumps(plan.to_json(), indent=2), "plan.json")
        self._client.set_terminated(run)
        self._search = None

    def carried_out(self, outcome: Any) -> None:
        """The run of a plan: what was measured of its model, and where that lies."""
        plan = outcome.plan
        run = self._begin(f"run of {plan.task_name}", {"effauto.folder": str(outcome.folder)})
        self._params(run, _params(plan.model, plan.recipe) | {"task": plan.task_name})
        self._metrics(run, outcome.measurement)
        for paper in PAPERS:
            if Path(outcome.folder, paper).is_file():
                self._client.log_artifact(run, str(Path(outcome.folder, paper)))
        self._client.set_terminated(run)

    def _begin(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        made = self._client.create_run(self._place, tags={NAME: name[:LONGEST], **(tags or {})})
        return str(made.info.run_id)

    def _params(self, run: str, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        given = [Param(name, str(value)[:LONGEST]) for name, value in values.items()]
        self._client.log_batch(run, params=given)

    def _metrics(self, run: str, figures: Mapping[str, Any], before: str = "") -> None:
        from time import time

        from mlflow.entities import Metric

        now = int(1000 * time())
        seen = [Metric(before + name, figure.value, now, 0) for name, figure in figures.items()]
        self._client.log_batch(run, metrics=seen)


def _params(model: str, recipe: Recipe) -> dict[str, Any]:
    """The model, the recipe, and each knob as ``method.knob``."""
    knobs = {f"{s.method}.{knob}": value for s in recipe.steps for knob, value in s.values}
    return {"model": model, "recipe": str(recipe), **knobs}
