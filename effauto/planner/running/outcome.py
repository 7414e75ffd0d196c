"""What carrying out a plan gave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effauto.budget import Budget
from effauto.execution.artefact import read_manifest, write_json
from effauto.planner.answers.plan import Plan, figures_json, recipe_json
from effauto.planner.running.card import model_card
from effauto.resources import Figures

MEASUREMENT, CARD = "measurement.json", "README.md"
RECIPE, REQUIREMENTS = "recipe.json", "requirements.txt"


@dataclass(frozen=True)
class Outcome:
    """What carrying out a plan gave: the folder, what was measured, which limits were kept."""

    plan: Plan
    folder: Path
    measurement: Figures
    trial: int

    @property
    def budget(self) -> Budget:
        """The plan's limits that a run can keep or break: it compares no answers with another's."""
        judged = self.plan.budget.of_phases(
            "train", "inference", "model", "quality", "life", "guard"
        )
        guards = ("guard.loyalty",)
        return Budget(tuple(limit for limit in judged if limit.resource not in guards))

    @property
    def all_met(self) -> bool:
        return not self.budget.broken(self._values)

    @property
    def _values(self) -> dict[str, float]:
        return {name: figure.value for name, figure in self.measurement.items()}

    def to_json(self) -> dict[str, Any]:
        broken = self.budget.broken(self._values)
        judged = [limit.to_json() | {"met": limit not in broken} for limit in self.budget]
        return {
            "folder": str(self.folder),
            "trial": self.trial,
            "model": self.plan.model,
            "recipe": recipe_json(self.plan.recipe, self.plan.versions),
            "estimate": figures_json(self.plan.estimate),
            "measurement": figures_json(self.measurement),
            "budget": judged,
        }

    def leave_papers(self, folder: Path) -> None:
        """Put beside the model in ``folder`` what was measured, a card, what makes it again."""
        write_json(folder / MEASUREMENT, self.to_json())
        write_json(folder / RECIPE, self.plan.to_json())
        (folder / REQUIREMENTS).write_text(requirements(folder), encoding="utf-8")
        (folder / CARD).write_text(model_card(self.plan, self.measurement), encoding="utf-8")


def requirements(folder: Path) -> str:
    """What the model in ``folder`` was made with, a package a line, as pip reads it."""
    versions = read_manifest(folder).versions
    packages = ((n, v.partition("+")[0]) for n, v in versions.items() if n != "python")
    pinned = (f"{name}=={version}" for name, version in packages)
    return f"# Python {versions['python']}\n" + "".join(f"{line}\n" for line in pinned)
