"""What earlier trials say of a recipe's quality, before it is tried on this task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from effauto.knobs import Float, Int
from effauto.method import Method
from effauto.planner.candidate import Candidate
from effauto.resources import QUALITY, Figure
from effauto.store import TrialRecord
from effauto.traits import TaskTraits

# Ridge penalty: effects of methods are drawn towards none by as much as this many trials.
PENALTY, TASK_PENALTY = 1.0, 1e-3
# 80 % of a normal distribution lie within this many deviations.
WITHIN = 1.2816
# Quality of a task nobody has tried: anything from poor to perfect (logits).
UNKNOWN_LEVEL, UNKNOWN_SPREAD = 1.7, 1.2
LEAST_SPREAD, LEAST_LEVEL_SPREAD = 0.1, 0.5
# The spread (logits) that each method adds of which nothing is known.
UNKNOWN_METHOD = 0.5
FULL = 0.99
UNKNOWN = "nothing is known yet"
# Logits that a knob is taken to cost at the far end of its range from its default.
FAR_KNOB = 2.0

Array = NDArray[np.float64]


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

    def quality(self, candidate: Candidate) -> Figure:
        """The quality foretold at full scale."""
        if candidate.key in self.exact:
            return self.exact[candidate.key]
        middle = self.level + self.gain(candidate)
        unknown = sum(f not in self.effects for f in _features(candidate))
        spread = math.hypot(self.spread, self.level_spread, UNKNOWN_METHOD * unknown)
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
        known = sum(self.effects.get(feature, -0.05) for feature in _features(candidate))
        return known - FAR_KNOB * self._distance(candidate)

    def sure_gain(self, candidate: Candidate) -> float:
        """The gain to a tenth of a logit, at the low end where a method was never seen."""
        unknown = sum(feature not in self.effects for feature in _features(candidate))
        return round(self.gain(candidate) - WITHIN * UNKNOWN_METHOD * unknown, 1)

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
    records: Iterable[TrialRecord],
    task: TaskTraits,
    fingerprint: str,
    methods: Mapping[str, Method],
) -> Prior:
    """Fit effects to all finished trials at full scale, weighting tasks like this one most.

    ``records`` come newest first. What was measured on this task's own test split does not count.
    """
    resource = QUALITY + task.metric
    known = [record for record in records if _counts(record, resource, fingerprint)]
    if not known:
        return Prior({}, 0.5, UNKNOWN_LEVEL, UNKNOWN_SPREAD, {}, 0, methods)
    exact = {
        _candidate(record).key: record.measured[resource]
        for record in reversed(known)
        if record.fingerprint == fingerprint
    }
    weights = np.array([_likeness(record.task_traits, task) for record in known])
    effects, levels, spread = _fit(known, resource, weights)
    level, level_spread = _level(levels, fingerprint, known, weights)
    return Prior(effects, spread, level, level_spread, exact, len(known), methods)


def _counts(record: TrialRecord, resource: str, fingerprint: str) -> bool:
    own_test = record.fingerprint == fingerprint and record.purpose != "search"
    finished = record.state == "finished" and record.fidelity >= FULL
    return finished and resource in record.measured and not own_test


def _fit(
    known: Sequence[TrialRecord], resource: str, weights: Array
) -> tuple[dict[str, float], dict[str, float], float]:
    """Effects, levels of tasks, and what both leave unexplained: a weighted ridge regression."""
    tasks = sorted({record.fingerprint for record in known})
    features = sorted({f for record in known for f in _features(_candidate(record))})
    columns = {name: column for column, name in enumerate([*tasks, *features])}
    design = np.zeros((len(known), len(columns)))
    for row, record in enumerate(known):
        for name in (record.fingerprint, *_features(_candidate(record))):
            design[row, columns[name]] = 1
    target = np.array([_logit(record.measured[resource].value) for record in known])
    penalty = np.diag([TASK_PENALTY] * len(tasks) + [PENALTY] * len(features))
    weighted = design * weights[:, None]
    solution = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ target)
    spread = float(np.sqrt(np.average((target - design @ solution) ** 2, weights=weights)))
    found = dict(zip(columns, map(float, solution), strict=True))
    effects, levels = ({name: found[name] for name in names} for names in (features, tasks))
    return effects, levels, max(LEAST_SPREAD, spread)


def _level(
    levels: Mapping[str, float], fingerprint: str, known: Sequence[TrialRecord], weights: Array
) -> tuple[float, float]:
    """This task's level and its deviation; of a new task, from those like it."""
    if fingerprint in levels:
        return levels[fingerprint], LEAST_SPREAD
    alike = {record.fingerprint: weight for record, weight in zip(known, weights, strict=True)}
    level = float(np.average(list(levels.values()), weights=[alike[task] for task in levels]))
    if len(levels) == 1:
        return level, UNKNOWN_SPREAD
    return level, max(LEAST_LEVEL_SPREAD, float(np.std(list(levels.values()))))


def _candidate(record: TrialRecord) -> Candidate:
    return Candidate(record.model.name, record.recipe)


def _features(candidate: Candidate) -> list[str]:
    return [candidate.model, *(f"{candidate.model}+{s.method}" for s in candidate.recipe.steps)]


def _likeness(one: TaskTraits, other: TaskTraits) -> float:
    """From near 0 to 1: same kind, like numbers of examples and classes, like length."""
    if one.kind != other.kind:
        return 0.05
    gap = (
        abs(math.log(one.examples / other.examples)) / 3
        + abs(math.log(one.classes / other.classes)) / 2
        + abs(math.log(one.tokens_mean / other.tokens_mean)) / 2
    )
    return math.exp(-gap)


def _logit(share: float) -> float:
    bounded = min(max(share, 0.005), 0.995)
    return math.log(bounded / (1 - bounded))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
