"""Rounds of buying labels: a random batch first, then what a strategy asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import PASSES
from .strategies import UNCERTAIN, badge, k_centre

if TYPE_CHECKING:
    from effauto import Examples

Array = NDArray[Any]
# The inverse strength of the head's penalty, on standardised features.
PENALTY = 0.3


def bought(features: Array, pool: Examples, setting: Mapping[str, Any], seed: int) -> list[int]:
    """Row numbers, ascending. Of ``pool`` only the targets of bought rows are ever read."""
    generator = np.random.default_rng(seed)
    wanted = max(1, round(setting["share"] * len(pool)))
    ends = [round(wanted * (n + 1) / setting["rounds"]) for n in range(setting["rounds"])]
    if setting["strategy"] == "core-set":
        ends = [ends[0], wanted]  # it learns nothing from labels in between
    rows = generator.permutation(len(pool))[: max(1, ends[0])].tolist()
    for end in ends[1:]:
        rows += _asked(features, pool, rows, end - len(rows), setting["strategy"], generator)
    return sorted(rows)


def _asked(
    features: Array,
    pool: Examples,
    rows: Sequence[int],
    count: int,
    strategy: str,
    generator: np.random.Generator,
) -> list[int]:
    """``count`` rows that are not among ``rows``."""
    if count < 1:
        return []
    if strategy == "core-set":
        return k_centre(features, rows, count)
    left = np.setdiff1d(np.arange(len(pool)), rows)
    if strategy == "random":
        return [int(row) for row in generator.choice(left, count, replace=False)]
    labels = [int(pool.targets[row]) for row in rows]  # type: ignore[arg-type]
    given = probabilities(features[rows], labels, features[left])
    if strategy == "badge":
        return [int(left[place]) for place in badge(given, features[left], count, generator)]
    surest_last = np.argsort(-UNCERTAIN[strategy](given), kind="stable")
    return [int(row) for row in left[surest_last[:count]]]


def probabilities(features: Array, labels: Sequence[int], asked: Array) -> Array:
    """(asked rows, classes seen so far) by a logistic regression on the bought rows."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if len(set(labels)) == 1:
        return np.ones((len(asked), 1))
    with threadpool_limits(1):  # more threads wait for one another longer than they compute
        head = LogisticRegression(C=PENALTY, max_iter=PASSES).fit(features, labels)
        return np.asarray(head.predict_proba(asked))
