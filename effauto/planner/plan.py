"""The plan: the answer, as it is written, read, and handed to ``effauto run``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from effauto.budget import Budget
from effauto.errors import EffautoError, OutputError, PlanError
from effauto.machine import Hardware
from effauto.recipe import Recipe, Refusal
from effauto.resources import Figure, Figures
from effauto.traits import TaskTraits

SCHEMA = 1
Status = Literal["feasible", "infeasible", "interrupted"]


@dataclass(frozen=True)
class Alternative:
    """Another answer on the Pareto front, with figures at full scale."""

    model: str
    recipe: Recipe
    figures: Figures
    fidelity: float

    def to_json(self, versions: Mapping[str, str]) -> dict[str, Any]:
        return {
            "model": self.model,
            "recipe": recipe_json(self.recipe, versions),
            "fidelity": self.fidelity,
            "figures": figures_json(self.figures),
        }


@dataclass(frozen=True)
class Plan:
    """What to do, what it should cost, what was measured, and what else there is.

    ``estimate`` is at full scale; ``measurement`` is the search's own, on a share ``fidelity`` of
    the data (empty for an instant plan). ``data`` says how to load the task again.
    """

    status: Status
    task: TaskTraits
    task_name: str
    fingerprint: str
    classes: tuple[str, ...]
    model: str
    hardware: Hardware
    budget: Budget
    recipe: Recipe
    order: tuple[str, ...]
    estimate: Figures
    measurement: Figures
    fidelity: float
    seed: int
    alternatives: tuple[Alternative, ...] = ()
    ruled_out: tuple[Refusal, ...] = ()
    search: Mapping[str, Any] = field(default_factory=dict)
    infeasible: Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "effauto_plan": SCHEMA,
            "status": self.status,
            "task": {
                "name": self.task_name,
                "fingerprint": self.fingerprint,
                **self.task.to_json(),
                "classes": len(self.classes),
                "labels": list(self.classes),
            },
            "model": self.model,
            "hardware": self.hardware.to_json(),
            "budget": self.budget.to_json(),
            "recipe": recipe_json(self.recipe, self.versions),
            "order": list(self.order),
            "estimate": figures_json(self.estimate),
            "measurement": figures_json(self.measurement),
            "fidelity": self.fidelity,
            "seed": self.seed,
            "alternatives": [other.to_json(self.versions) for other in self.alternatives],
            "ruled_out": [refusal.to_json() for refusal in self.ruled_out],
            "infeasible": self.infeasible,
            "search": dict(self.search),
            "data": dict(self.data),
            "notes": list(self.notes),
        }


def recipe_json(recipe: Recipe, versions: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"method": step.method, "version": versions.get(step.method, ""), "setting": step.setting}
        for step in recipe.steps
    ]


def figures_json(figures: Figures) -> dict[str, Any]:
    return {name: figures[name].to_json() for name in sorted(figures)}


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan whole or not at all; raise OutputError if it cannot be written."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(plan.to_json(), indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise OutputError(f"the plan cannot be written to {path}: {error.strerror}") from error
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def read_plan(path: Path) -> Plan:
    """Read a plan file; raise PlanError, saying what is wrong with it, if it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"the plan {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{path} is no plan: it is not JSON ({error})") from error
    return plan_from_json(data, str(path))


def plan_from_json(data: Any, where: str = "this") -> Plan:
    """Read :meth:`Plan.to_json`; raise PlanError if it is incomplete or of another schema."""
    if not isinstance(data, dict) or "effauto_plan" not in data:
        raise PlanError(f"{where} is no plan: it has no 'effauto_plan' entry")
    if data["effauto_plan"] != SCHEMA:
        raise PlanError(
            f"{where} has plan schema {data['effauto_plan']!r} and this effauto reads {SCHEMA}; "
            "make the plan anew with this version"
        )
    try:
        return _read(data)
    except EffautoError as error:
        raise PlanError(f"{where} is no whole plan: {error}") from error
    except KeyError as error:
        raise PlanError(f"{where} is no whole plan: {error} is missing") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise PlanError(f"{where} is no whole plan: {error}") from error


def _read(data: Mapping[str, Any]) -> Plan:
    task = data["task"]
    classes = tuple(map(str, task["labels"]))
    if data["status"] not in ("feasible", "infeasible", "interrupted"):
        raise ValueError(f"there is no status {data['status']!r}")
    return Plan(
        status=data["status"],
        task=TaskTraits.from_json({**task, "classes": len(classes)}),
        task_name=str(task["name"]),
        fingerprint=str(task["fingerprint"]),
        classes=classes,
        model=str(data["model"]),
        hardware=Hardware.from_json(data["hardware"]),
        budget=Budget.from_json(data["budget"]),
        recipe=Recipe.from_json(data["recipe"]),
        order=tuple(map(str, data["order"])),
        estimate=_figures(data["estimate"]),
        measurement=_figures(data["measurement"]),
        fidelity=float(data["fidelity"]),
        seed=int(data["seed"]),
        alternatives=tuple(_alternatives(data["alternatives"])),
        ruled_out=tuple(
            Refusal(str(r["method"]), str(r.get("rule", "")), str(r["reason"]))
            for r in data["ruled_out"]
        ),
        search=dict(data["search"]),
        infeasible=data.get("infeasible"),
        data=dict(data["data"]),
        notes=tuple(map(str, data.get("notes", ()))),
        versions={step["method"]: str(step.get("version", "")) for step in data["recipe"]},
    )


def _figures(data: Mapping[str, Any]) -> dict[str, Figure]:
    return {str(name): Figure.from_json(figure) for name, figure in data.items()}


def _alternatives(data: Sequence[Mapping[str, Any]]) -> list[Alternative]:
    return [
        Alternative(
            str(other["model"]),
            Recipe.from_json(other["recipe"]),
            _figures(other["figures"]),
            float(other["fidelity"]),
        )
        for other in data
    ]
