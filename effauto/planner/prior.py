"""What earlier trials say of a recipe's quality, before it is tried on this task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from effauto.planner.candidate import Candidate
from effauto.resources import QUALITY, Figure
from effauto.store import TrialRecord
from effauto.traits import TaskTraits

# Ridge penalty: effects of methods are drawn towards none by as much as this many trials.
PENALTY = 1.0
# 80 % of a normal distribution lie within this many deviations.
WITHIN = 1.2816
# Quality of a task nobody has tried: anything from poor to perfect (logits).
UNKNOWN_LEVEL, UNKNOWN_SPREAD = 1.7, 1.2
FULL = 0.99


@dataclass(frozen=True)
class Prior:
    """Effects of methods on the logit of quality, relative to a task's level.

    ``effects`` maps ``model`` and ``model+method`` to logits; ``spread`` is what they leave
    unexplained; ``exact`` has what was measured on this very task, by candidate key.
    """

    effects: Mapping[str, float]
    spread: float
    level: float
    level_spread: float
    exact: Mapping[str, Figure]
    trials: int

    def quality(self, candidate: Candidate) -> Figure:
        """The quality foretold at full scale."""
        if candidate.key in self.exact:
            return self.exact[candidate.key]
        middle = self.level + self.gain(candidate)
        unknown = sum(f not in self.effects for f in _features(candidate))
        spread = math.hypot(self.spread, self.level_spread, 0.5 * unknown)
        note = f"from {self.trials} earlier trials" if self.trials else "nothing is known yet"
        return Figure(
            _share(middle),
            "1",
            _share(middle - WITHIN * spread),
            _share(middle + WITHIN * spread),
            "closed-form",
            note,
        )

    def gain(self, candidate: Candidate) -> float:
        """Logits above the task's level; a method never seen is taken to cost a little."""
        return sum(self.effects.get(feature, -0.05) for feature in _features(candidate))


def learn_prior(records: Iterable[TrialRecord], task: TaskTraits, fingerprint: str) -> Prior:
    """Fit effects to all finished trials at full scale, weighting tasks like this one most."""
    resource = QUALITY + task.metric
    known = [
        record
        for record in records
        if record.state == "finished" and record.fidelity >= FULL and resource in record.measured
    ]
    exact = {
        Candidate(record.model.name, record.recipe).key: record.measured[resource]
        for record in known
        if record.fingerprint == fingerprint
    }
    tasks = sorted({record.fingerprint for record in known})
    if not known:
        return Prior({}, 0.5, UNKNOWN_LEVEL, UNKNOWN_SPREAD, exact, 0)
    features = sorted({f for record in known for f in _features(_candidate(record))})
    design = np.zeros((len(known), len(tasks) + len(features)))
    target = np.array([_logit(record.measured[resource].value) for record in known])
    weights = np.array([_likeness(record.task_traits, task) for record in known])
    for row, record in enumerate(known):
        design[row, tasks.index(record.fingerprint)] = 1
        for feature in _features(_candidate(record)):
            design[row, len(tasks) + features.index(feature)] = 1
    penalty = np.diag([1e-3] * len(tasks) + [PENALTY] * len(features))
    weighted = design * weights[:, None]
    solution = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ target)
    left = target - design @ solution
    spread = max(0.1, float(np.sqrt(np.average(left**2, weights=weights))))
    levels = solution[: len(tasks)]
    if fingerprint in tasks:
        level, level_spread = float(levels[tasks.index(fingerprint)]), 0.1
    else:
        alike = np.array(
            [
                max(w for w, r in zip(weights, known, strict=True) if r.fingerprint == t)
                for t in tasks
            ]
        )
        level = float(np.average(levels, weights=alike))
        level_spread = max(0.5, float(np.std(levels))) if len(tasks) > 1 else UNKNOWN_SPREAD
    effects = dict(zip(features, map(float, solution[len(tasks) :]), strict=True))
    return Prior(effects, spread, level, level_spread, exact, len(known))


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
