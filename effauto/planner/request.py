"""What the user asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from effauto.budget import Budget
from effauto.cost import Place, Prices
from effauto.cost.life import Use
from effauto.errors import InputError
from effauto.model import MINILM
from effauto.preference import ANY_QUALITY, Goal, Preference
from effauto.recipe import Recipe
from effauto.resources import resource_named
from effauto.task import Task, load_task
from effauto.task.traits import CountTokens
from effauto.traits import TaskKind

HERE = "here"
# What a resource may begin with, if it is a cost of a recipe.
COSTS = ("train", "inference", "model", "life")


@dataclass(frozen=True)
class DataRequest:
    """Where the task's data are, and how to read them; see :func:`effauto.task.load_task`."""

    source: str | None = None
    kind: TaskKind | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    metric: str | None = None
    max_rows: int | None = None
    seed: int = 0

    def load(self, count_tokens: CountTokens | None) -> Task:
        """Load the task; raise DataError if it cannot be used."""
        return load_task(
            self.source,
            kind=self.kind,
            columns=self.columns or None,
            metric=self.metric,
            seed=self.seed,
            max_rows=self.max_rows,
            count_tokens=count_tokens,
        )

    def to_json(self) -> dict[str, Any]:
        """What :meth:`from_json` reads; the source as an absolute path, if it is one."""
        source = self.source
        if source is not None and Path(source).exists():
            source = str(Path(source).resolve())
        return {
            "source": source,
            "kind": self.kind,
            "columns": dict(self.columns),
            "metric": self.metric,
            "max_rows": self.max_rows,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DataRequest:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__ if key in data})


@dataclass(frozen=True)
class Request:
    """A question to the planner. ``search_time`` is in seconds; 0 asks for an instant plan.

    A given ``recipe`` is not searched for: it is costed, and tried if there is time. Raises
    InputError for a time, a number of trials or of workers, or a seed, that cannot be. ``pareto``
    names resources beside which quality is weighed: the alternatives are then the front of all of
    these.
    """

    data: DataRequest = field(default_factory=DataRequest)
    model: str = MINILM
    budget: Budget = field(default_factory=Budget)
    prefer: Preference = field(default_factory=Preference)
    recipe: Recipe | None = None
    search_time: float = 0.0
    max_trials: int | None = None
    seed: int = 0
    hardware: str = HERE
    prices: Prices = field(default_factory=Prices)
    place: Place = field(default_factory=Place)
    store: str | None = None
    plugin_folders: tuple[Path, ...] = ()
    resume: bool = False
    use: Use | None = None
    pareto: tuple[str, ...] = ()
    workers: int = 1
    dask: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.search_time < math.inf:
            raise InputError(f"the search cannot take {self.search_time} seconds; 0 is the least")
        if self.max_trials is not None and self.max_trials < 1:
            raise InputError(f"a search of {self.max_trials} trials finds nothing; 1 is the least")
        if self.workers < 1:
            raise InputError(f"a search needs a worker, and {self.workers} are none")
        if self.dask is not None and self.workers > 1:
            raise InputError("--workers are of this machine; a cluster (--dask) brings its own")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"a seed lies between 0 and {2**32 - 1}, and {self.seed} does not")
        for name in self.pareto:
            if resource_named(name).name.partition(".")[0] not in COSTS:
                raise InputError(f"{name} is no cost of a recipe, to be weighed beside quality")

    @property
    def preference(self) -> Preference:
        """The user's; without one, who says how often the model is asked wants that to be cheap."""
        if self.prefer.goals or self.use is None:
            return self.prefer
        whole = "life.cost" if self.prices.currency else "life.energy"
        return Preference((Goal(ANY_QUALITY), Goal(whole)))

    def identity(self) -> dict[str, Any]:
        """What makes two requests the same study, however long each may search."""
        return {
            "data": self.data.to_json(),
            "model": self.model,
            "recipe": None if self.recipe is None else self.recipe.to_json(),
            "budget": self.budget.to_json(),
            "seed": self.seed,
            "hardware": self.hardware,
        }
