"""Effects of methods on quality, fitted to earlier trials, and how well they carry over.

Qualities are compared as logits, each task at its own level. How much to believe the effects, and
how far they may be off, is found by leaving out each task in turn.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from effauto.traits import TaskTraits

# Ridge penalties: effects are drawn towards none by as much as so many trials.
PENALTIES, TASK_PENALTY = (0.5, 1.0, 2.0, 5.0, 20.0), 1e-3
UNTESTED = 1.0
LEAST_SPREAD, LEAST_LEVEL_SPREAD = 0.1, 0.5
# What a task's level is taken to spread by where one or none is known (logits).
UNKNOWN_SPREAD = 1.2
# The 90 % quantile of Student's distribution beside the normal one, by degrees of freedom.
STUDENT = (2.40, 1.47, 1.28, 1.20, 1.15, 1.12, 1.10, 1.09, 1.08, 1.07)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """One trial: its task, what stands in its recipe, and the logit of its quality."""

    task: str
    traits: TaskTraits
    features: tuple[str, ...]
    logit: float


@dataclass(frozen=True)
class Effects:
    """Logits by feature, levels by task, and the spread that both leave to a new task."""

    of: Mapping[str, float]
    levels: Mapping[str, float]
    spread: float


def learn_effects(seen: Sequence[Seen], task: TaskTraits) -> Effects:
    """Fit with the penalty that carries over best, tasks like ``task`` counting most."""
    misses = {penalty: _miss(seen, penalty) for penalty in PENALTIES}
    best = min(misses, key=lambda penalty: misses[penalty])
    penalty = UNTESTED if math.isinf(misses[best]) else best
    of, levels = _fit(seen, task, penalty)
    spread = misses[best]
    if math.isinf(spread):
        spread = _left(seen, of)
    return Effects(of, levels, max(LEAST_SPREAD, spread))


def level_of(
    effects: Effects, seen: Sequence[Seen], task: str, like: TaskTraits
) -> tuple[float, float]:
    """The level of ``task`` and its spread; of a new task, from those like it."""
    levels = effects.levels
    if task in levels:
        return levels[task], LEAST_SPREAD
    weights = {one.task: likeness(one.traits, like) for one in seen}
    level = float(np.average(list(levels.values()), weights=[weights[name] for name in levels]))
    if len(levels) == 1:
        return level, UNKNOWN_SPREAD
    few = STUDENT[min(len(levels) - 2, len(STUDENT) - 1)]
    wide = few * math.sqrt(1 + 1 / len(levels)) * float(np.std(list(levels.values()), ddof=1))
    return level, max(LEAST_LEVEL_SPREAD, wide)


def _fit(
    seen: Sequence[Seen], task: TaskTraits, penalty: float
) -> tuple[dict[str, float], dict[str, float]]:
    """A weighted ridge regression: effects, and levels of tasks, each of which counts the same."""
    tasks = sorted({one.task for one in seen})
    features = sorted({feature for one in seen for feature in one.features})
    columns = {name: column for column, name in enumerate([*tasks, *features])}
    design = np.zeros((len(seen), len(columns)))
    for row, one in enumerate(seen):
        design[row, [columns[name] for name in (one.task, *one.features)]] = 1
    target = np.array([one.logit for one in seen])
    penalties = np.diag([TASK_PENALTY] * len(tasks) + [penalty] * len(features))
    trials = Counter(one.task for one in seen)
    weights = [likeness(one.traits, task) * len(seen) / trials[one.task] for one in seen]
    weighted = design * np.array(weights)[:, None] / len(tasks)
    solution = np.linalg.solve(design.T @ weighted + penalties, weighted.T @ target)
    found = dict(zip(columns, map(float, solution), strict=True))
    return {name: found[name] for name in features}, {name: found[name] for name in tasks}


def _miss(seen: Sequence[Seen], penalty: float) -> float:
    """How far effects learnt from the other tasks are off within a task, in the mean."""
    misses = [
        _left(ours, _fit(others, ours[0].traits, penalty)[0])
        for ours, others in _each_left_out(seen)
        if len({one.features for one in ours}) > 2
    ]
    return fmean(misses) if misses else math.inf


def _each_left_out(seen: Sequence[Seen]) -> list[tuple[list[Seen], list[Seen]]]:
    tasks = dict.fromkeys(one.task for one in seen)
    apart = (
        ([o for o in seen if o.task == task], [o for o in seen if o.task != task]) for task in tasks
    )
    return [(ours, others) for ours, others in apart if others]


def _left(seen: Sequence[Seen], effects: Mapping[str, float]) -> float:
    """The deviation of what the effects leave, each task at its own level."""
    rests: dict[str, list[float]] = {}
    for one in seen:
        gain = sum(effects.get(feature, 0.0) for feature in one.features)
        rests.setdefault(one.task, []).append(one.logit - gain)
    centred = ((ours, fmean(ours)) for ours in rests.values())
    spare = [rest - middle for ours, middle in centred for rest in ours]
    return math.sqrt(sum(rest**2 for rest in spare) / max(1, len(spare) - len(rests)))


def likeness(one: TaskTraits, other: TaskTraits) -> float:
    """From near 0 to 1: same kind, like numbers of examples and classes, like length."""
    if one.kind != other.kind:
        return 0.05
    gap = (
        abs(math.log(one.examples / other.examples)) / 3
        + abs(math.log(one.classes / other.classes)) / 2
        + abs(math.log(one.tokens_mean / other.tokens_mean)) / 2
    )
    return math.exp(-gap)
