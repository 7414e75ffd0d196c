"""Plans as files: written whole or not at all, and read with every doubt."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from effauto.budget import Budget
from effauto.composition import Refusal
from effauto.cost import Place, Prices
from effauto.cost.ledger import Ledger
from effauto.cost.life import Use
from effauto.errors import EffautoError, OutputError, PlanError
from effauto.execution.artefact import write_json
from effauto.machine import Hardware
from effauto.planner.answers.ablation import Bought
from effauto.planner.answers.plan import SCHEMA, Alternative, Plan
from effauto.planner.answers.typed import well_typed
from effauto.planner.request import DataRequest
from effauto.preference import Preference, parse_preference
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.traits import TaskTraits

_SPENT = ("trials", "failed", "seconds", "energy")


def write_plan(plan: Plan, path: Path) -> None:
    """Write the plan whole or not at all; raise OutputError if it cannot be written."""
    try:
        write_json(path, plan.to_json())
    except OSError as error:
        raise OutputError(f"the plan cannot be written to {path}: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Make the folder of ``path``; raise OutputError if no plan can be written there.

    Called before minutes are spent on a plan.
    """
    if path.is_dir():
        raise OutputError(f"the plan cannot be written to {path}: it is a folder; name a file")
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.absolute().parent):
            pass
    except OSError as error:
        raise OutputError(f"the plan cannot be written to {path}: {error.strerror}") from error


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
            f"{where} has plan schema {data['effauto_plan']!r:.60} and this effauto reads {SCHEMA};"
            " make the plan anew with this version"
        )
    try:
        json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair cannot be shown
        return well_typed(_read(data))
    except KeyError as error:
        raise PlanError(f"{where} is no whole plan: {error} is missing") from error
    except (EffautoError, TypeError, ValueError, AttributeError, LookupError,
            ArithmeticError, RecursionError) as error:  # fmt: skip
        raise PlanError(f"{where} is no whole plan: {error}") from error


def _read(data: Mapping[str, Any]) -> Plan:
    task = data["task"]
    return Plan(
        status=data["status"],
        task=TaskTraits.from_json({**task, "classes": len(task["labels"])}),
        task_name=task["name"],
        fingerprint=task["fingerprint"],
        classes=tuple(task["labels"]),
        model=data["model"],
        hardware=Hardware.from_json(data["hardware"]),
        budget=Budget.from_json(data["budget"]),
        recipe=Recipe.from_json(data["recipe"]),
        order=tuple(data["order"]),
        estimate=_figures(data["estimate"]),
        measurement=_figures(data["measurement"]),
        fidelity=data["fidelity"],
        seed=data["seed"],
        alternatives=tuple(_alternatives(data["alternatives"])),
        ruled_out=tuple(
            Refusal(entry["method"], entry.get("rule", ""), entry["reason"])
            for entry in data["ruled_out"]
        ),
        search=_search(data["search"]),
        infeasible=_infeasible(data.get("infeasible")),
        data=_data(data["data"]),
        notes=tuple(data.get("notes", ())),
        versions={step["method"]: step.get("version", "") for step in data["recipe"]},
        prices=Prices(**data.get("prices", {})),
        place=_place(data.get("place", {})),
        ledger=_ledger(data.get("ledger")),
        bought=tuple(Bought.from_json(one) for one in data.get("bought", ())),
        use=_use(data.get("use")),
        prefer=_preference(data.get("prefer", "")),
    )


def _figures(data: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: Figure.from_json(figure) for name, figure in data.items()}


def _alternatives(data: Sequence[Mapping[str, Any]]) -> list[Alternative]:
    return [
        Alternative(
            other["model"],
            Recipe.from_json(other["recipe"]),
            _figures(other["figures"]),
            other["fidelity"],
        )
        for other in data
    ]


def _place(data: Mapping[str, Any]) -> Place:
    return Place(data.get("country"), tuple(data.get("pue", Place.pue)))


def _preference(text: str) -> Preference:
    return parse_preference(text) if text else Preference()


def _use(data: Mapping[str, Any] | None) -> Use | None:
    return None if data is None else Use(**data)


def _ledger(data: Mapping[str, Any] | None) -> Ledger | None:
    return None if data is None else Ledger.from_json(data)


def _search(data: Mapping[str, Any]) -> dict[str, Any]:
    for name in _SPENT:
        if not isinstance(data[name], int | float):
            raise TypeError(f"search.{name} cannot be {data[name]!r:.60}")
    return dict(data)


def _infeasible(data: Any) -> dict[str, Any] | None:
    if data is None:
        return None
    if not all(isinstance(reason, str) for reason in data["reasons"]):
        raise TypeError("infeasible.reasons must be sentences")
    return dict(data)


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    return well_typed(DataRequest.from_json(data)).to_json()
