"""What each method does, over all results: every recipe beside itself without the method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from effauto.resources import SHARES
from effauto.store.seen import Seen


@dataclass(frozen=True)
class Marginal:
    """Of a method and a resource: the median change and the middle half of all changes.

    The change is a difference of shares, else a ratio (0.5: half of what it was). ``pairs`` is how
    many pairs of trials it rests on, ``tasks`` on how many tasks.
    """

    method: str
    resource: str
    change: float
    lower: float
    upper: float
    pairs: int
    tasks: int

    @property
    def in_points(self) -> bool:
        return self.resource.startswith(SHARES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"change_is": "difference" if self.in_points else "ratio"}


def marginals(trials: Iterable[Seen]) -> list[Marginal]:
    """One for each method and resource that some pair measured, by name."""
    changes: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for method, with_it, without in _pairs(trials):
        for resource in with_it.values.keys() & without.values.keys():
            change = _change(resource, without.values[resource], with_it.values[resource])
            if change is not None:
                changes.setdefault((method, resource), []).append((with_it.task, change))
    return [_marginal(*key, changes[key]) for key in sorted(changes)]


def _pairs(trials: Iterable[Seen]) -> Iterator[tuple[str, Seen, Seen]]:
    """The method, a trial with it, and the newest without it in the same place, with that seed."""
    places: dict[tuple[Any, ...], dict[frozenset[tuple[str, str]], Seen]] = {}
    for trial in trials:
        places.setdefault((*trial.place, trial.seed), {}).setdefault(frozenset(trial.recipe), trial)
    for by_recipe in places.values():
        for recipe, trial in by_recipe.items():
            for step in recipe:
                if rest := by_recipe.get(recipe - {step}):
                    yield step[0], trial, rest


def _change(resource: str, before: float, after: float) -> float | None:
    if resource.startswith(SHARES):
        return after - before
    return after / before if before > 0 else None


def _marginal(method: str, resource: str, seen: Sequence[tuple[str, float]]) -> Marginal:
    changes = [change for _, change in seen]
    lower, upper = np.quantile(changes, (0.25, 0.75)).tolist()
    tasks = len({task for task, _ in seen})
    return Marginal(method, resource, median(changes), lower, upper, len(seen), tasks)


def by_method(found: Iterable[Marginal]) -> Mapping[str, Mapping[str, Marginal]]:
    """For each method, by resource."""
    table: dict[str, dict[str, Marginal]] = {}
    for marginal in found:
        table.setdefault(marginal.method, {})[marginal.resource] = marginal
    return table
