"""What earlier trials say of a recipe's quality, before it is tried on this task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from effauto.knobs import Float, Int
from effauto.method import Method
from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.effects import UNKNOWN_SPREAD, Seen, learn_effects, level_of
from effauto.recipe import Recipe
from effauto.resources import QUALITY, WITHIN, Figure, Figures
from effauto.traits import ModelTraits, TaskTraits

# Quality of a task nobody has tried: anything from poor to perfect (logits).
UNKNOWN_LEVEL = 1.7
# The spread (logits) that each method adds of which nothing is known.
UNKNOWN_METHOD = 0.5
FULL = 0.99
UNKNOWN = "nothing is known yet"
# Logits that a knob is taken to cost at the far end of its range from its default.
FAR_KNOB = 2.0


class Record(Protocol):
    """What the prior reads of a trial."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def task_traits(self) -> TaskTraits: ...
    @property
    def model(self) -> ModelTraits: ...
    @property
    def recipe(self) -> Recipe: ...
    @property
    def fidelity(self) -> float: ...
    @property
    def purpose(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def measured(self) -> Figures: ...


@dataclass(frozen=True)
class Prior:
    """Effects of methods on the logit of quality, relative to a task's level.

    ``effects`` maps ``model`` and ``model+method`` to logits; ``spread`` is what they leave
    unexplained; ``exact`` has what was measured on this very task, by candidate key; ``methods``
    tell how far a setting lies from the defaults.
    """

    effects: Mapping[str, float]
    spread: float
    level: float
    level_spread: float
    exact: Mapping[str, Figure]
    trials: int
    methods: Mapping[str, Method]

    @property
    def informed(self) -> bool:
        """Whether it can tell candidates apart."""
        return self.trials > 0

    def quality(self, candidate: Candidate) -> Figure:
        """The quality foretold at full scale."""
        if candidate.key in self.exact:
            return self.exact[candidate.key]
        middle = self.level + self.gain(candidate)
        unknown = UNKNOWN_METHOD * self.unknown(candidate)
        spread = math.hypot(self.spread, self.level_spread, unknown)
        note = f"from {self.trials} earlier trials" if self.trials else UNKNOWN
        return Figure(
            _share(middle),
            "1",
            _share(middle - WITHIN * spread),
            _share(middle + WITHIN * spread),
            "closed-form",
            note,
        )

    def told_apart(self, quality: Figure) -> Figure:
        """A foretold quality with the range that matters between recipes: all share the level."""
        margin = WITHIN * self.spread * quality.value * (1 - quality.value)
        low, high = (
            max(quality.low, quality.value - margin),
            min(quality.high, quality.value + margin),
        )
        return replace(quality, low=low, high=high)

    def gain(self, candidate: Candidate) -> float:
        """Logits above the task's level; a method never seen is taken to cost a little."""
        known = sum(self.effects.get(feature, -0.05) for feature in parts_of(candidate))
        return known - FAR_KNOB * self._distance(candidate)

    def sure_gain(self, candidate: Candidate) -> float:
        """The gain to a tenth of a logit, at the low end where a method was never seen."""
        unknown = UNKNOWN_METHOD * self.unknown(candidate)
        return round(self.gain(candidate) - WITHIN * unknown, 1)

    def unknown(self, candidate: Candidate) -> int:
        """Of how many of its parts nothing is known."""
        return sum(feature not in self.effects for feature in parts_of(candidate))

    def _distance(self, candidate: Candidate) -> float:
        """How far numeric knobs of the design and of compression are from their defaults.

        Those of training pull either way; these make the model smaller, which costs quality.
        """
        return sum(
            abs(value - knob.default) / (knob.high - knob.low)
            for name, setting in candidate.recipe.settings.items()
            if name in self.methods and self.methods[name].stage in ("design", "compress")
            for knob_name, value in setting.items()
            if isinstance(knob := self.methods[name].knobs.get(knob_name), Float | Int)
            and isinstance(value, int | float)
        )


def learn_prior(
    records: Iterable[Record],
    task: TaskTraits,
    fingerprint: str,
    methods: Mapping[str, Method],
) -> Prior:
    """Fit effects to all finished trials at full scale, weighting tasks like this one most.

    ``records`` come newest first. What was measured on this task's own test split does not count.
    """
    resource = QUALITY + task.metric
    known = [record for record in records if counts(record, resource, fingerprint)]
    if not known:
        return Prior({}, 0.5, UNKNOWN_LEVEL, UNKNOWN_SPREAD, {}, 0, methods)
    exact = {
        _candidate(record).key: record.measured[resource]
        for record in reversed(known)
        if record.fingerprint == fingerprint
    }
    seen = [
        Seen(
            record.fingerprint,
            record.task_traits,
            tuple(parts_of(_candidate(record))),
            logit(record.measured[resource].value),
        )
        for record in known
    ]
    effects = learn_effects(seen, task)
    level, level_spread = level_of(effects, seen, fingerprint, task)
    return Prior(effects.of, effects.spread, level, level_spread, exact, len(known), methods)


def counts(record: Record, resource: str, fingerprint: str) -> bool:
    """Whether a trial at full scale tells of quality, and not of this task's own test split."""
    own_test = record.fingerprint == fingerprint and record.purpose != "search"
    finished = record.state == "finished" and record.fidelity >= FULL
    return finished and resource in record.measured and not own_test


def _candidate(record: Record) -> Candidate:
    return Candidate(record.model.name, record.recipe)


def parts_of(candidate: Candidate) -> list[str]:
    """The model, and each method with it: what effects are of."""
    return [candidate.model, *(f"{candidate.model}+{s.method}" for s in candidate.recipe.steps)]


def logit(share: float) -> float:
    """Of a share, kept away from 0 and 1."""
    bounded = min(max(share, 0.005), 0.995)
    return math.log(bounded / (1 - bounded))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
