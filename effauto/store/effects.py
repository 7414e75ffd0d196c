"""What recipes did to the figures of the untouched model, as trials measured it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from effauto.recipe import Recipe
from effauto.resources import QUALITY
from effauto.store.entries import TrialRecord


@dataclass(frozen=True)
class Effect:
    """A recipe beside the untouched model, on the same rows, machine and seeds.

    ``ratios`` are of the measured figures over the untouched ones, the median over those seeds for
    which both are known: of trials that ran beside others no seconds are. ``quality`` has the
    difference that each seed made, in points of the metric (0.01 is one point); ``values`` and
    ``untouched`` are the medians themselves.
    """

    recipe: Recipe
    task: str
    rows: int
    hardware: str
    ratios: Mapping[str, float]
    quality: tuple[float, ...]
    values: Mapping[str, float]
    untouched: Mapping[str, float]


@dataclass(frozen=True)
class Together:
    """Two methods measured together and each alone, at the same settings."""

    both: Effect
    alone: tuple[Effect, Effect]

    def expected(self, resource: str) -> float | None:
        """The product of what each does alone, which is what the two together would do if apart."""
        ratios = [effect.ratios.get(resource) for effect in self.alone]
        return None if None in ratios else ratios[0] * ratios[1]  # type: ignore[operator]

    def to_json(self) -> dict[str, Any]:
        effect = self.both
        return {
            "methods": [step.method for step in effect.recipe.steps],
            "task": effect.task,
            "rows": effect.rows,
            "hardware": effect.hardware,
            "seeds": len(effect.quality),
            "ratios": dict(effect.ratios),
            "expected": {name: self.expected(name) for name in effect.ratios},
            "quality": median(effect.quality),
            "expected_quality": sum(median(one.quality) for one in self.alone),
        }


def effects(records: Iterable[TrialRecord]) -> list[Effect]:
    """One for each recipe of each task and machine on which the untouched model was tried too."""
    place = _place
    found: list[Effect] = []
    for _, group in groupby(sorted(records, key=place), key=place):
        by_recipe: dict[Recipe, dict[int, TrialRecord]] = {}
        for record in group:
            by_recipe.setdefault(record.recipe, {}).setdefault(record.seed, record)
        plain = by_recipe.pop(Recipe(), {})
        found += (_effect(tried, plain) for tried in by_recipe.values() if tried.keys() & plain)
    return found


def together(found: Iterable[Effect]) -> Iterator[Together]:
    """Every pair of methods whose parts were measured at the same place and settings."""
    known = {(e.task, e.rows, e.hardware, e.recipe): e for e in found}
    for effect in known.values():
        steps = effect.recipe.steps
        parts = [(effect.task, effect.rows, effect.hardware, Recipe((step,))) for step in steps]
        if len(steps) == 2 and all(part in known for part in parts):
            yield Together(effect, (known[parts[0]], known[parts[1]]))


def _place(record: TrialRecord) -> tuple[str, str, str, str]:
    return record.task, record.fingerprint, record.hardware, record.model.name


def _effect(tried: Mapping[int, TrialRecord], plain: Mapping[int, TrialRecord]) -> Effect:
    pairs = [(tried[seed], plain[seed]) for seed in sorted(tried.keys() & plain)]
    one = pairs[0][0]
    seen: dict[str, list[tuple[float, float]]] = {}
    for record, untouched in pairs:
        for name, figure in record.measured.items():
            if name in untouched.measured:
                seen.setdefault(name, []).append((figure.value, untouched.measured[name].value))
    quality = next((name for name in seen if name.startswith(QUALITY)), "")
    return Effect(
        recipe=one.recipe,
        task=one.task,
        rows=one.task_traits.examples,
        hardware=one.hardware,
        ratios={
            name: median(value / beside for value, beside in each)
            for name, each in sorted(seen.items())
            if not name.startswith(QUALITY) and all(value and beside for value, beside in each)
        },
        quality=tuple(value - beside for value, beside in seen.get(quality, ())),
        values={name: median(value for value, _ in each) for name, each in seen.items()},
        untouched={name: median(beside for _, beside in each) for name, each in seen.items()},
    )
