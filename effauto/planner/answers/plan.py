"""The plan: the answer, as it is written and handed to ``effauto run``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from effauto.budget import Budget
from effauto.composition import Refusal
from effauto.cost import Place, Prices
from effauto.cost.ledger import Ledger
from effauto.cost.life import Use
from effauto.machine import Hardware
from effauto.planner.answers.ablation import Bought
from effauto.preference import Preference
from effauto.recipe import Recipe
from effauto.resources import Figures
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
    the data (empty for an instant plan). ``data`` says how to load the task again, ``prices`` and
    ``place`` what money and carbon were reckoned with. ``search`` is what the search spent;
    ``ledger``, which only an answer has, is what the recipe costs by phase and by factor.
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
    prices: Prices = field(default_factory=Prices)
    place: Place = field(default_factory=Place)
    ledger: Ledger | None = None
    prefer: Preference = field(default_factory=Preference)
    bought: tuple[Bought, ...] = ()
    use: Use | None = None

    @property
    def others(self) -> tuple[Alternative, ...]:
        """The alternatives to what is advised, which may itself stand among them."""
        advised = self.model, self.recipe
        return tuple(o for o in self.alternatives if (o.model, o.recipe) != advised)

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
            "prefer": str(self.prefer),
            "use": self.use and asdict(self.use),
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
            "bought": [one.to_json() for one in self.bought],
            "ledger": self.ledger and self.ledger.to_json(),
            "data": dict(self.data),
            "prices": asdict(self.prices),
            "place": asdict(self.place),
            "notes": list(self.notes),
        }


def recipe_json(recipe: Recipe, versions: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"method": step.method, "version": versions.get(step.method, ""), "setting": step.setting}
        for step in recipe.steps
    ]


def figures_json(figures: Figures) -> dict[str, Any]:
    return {name: figures[name].to_json() for name in sorted(figures)}
