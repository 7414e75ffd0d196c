"""Two recipes compared: paired by seed, with an interval and the odds that one is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from effauto.errors import StoreError
from effauto.resources import QUALITY, RESOURCES, SHARES, Figure, resource_named
from effauto.store.entries import TrialRecord
from effauto.store.filters import Filter
from effauto.store.query import trial, trials
from effauto.store.record import Store
from effauto.store.setting import bound

# What one measurement tells of another at least, as a share of it or a share itself.
LEAST_DEVIATION = 1e-3


@dataclass(frozen=True)
class Difference:
    """Of one resource: the means of both, and what B makes of A, with its 80 % range.

    ``change`` is the difference of shares, else the ratio B over A; ``better`` the probability
    that B is the better of the two; ``seeds`` how many pairs it rests on.
    """

    resource: str
    unit: str
    a: float
    b: float
    change: float
    low: float
    high: float
    better: float
    seeds: int

    @property
    def in_points(self) -> bool:
        return self.resource.startswith(SHARES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"change_is": "difference" if self.in_points else "ratio"}


@dataclass(frozen=True)
class Comparison:
    """Every trial of two recipes in the same place, and what they differ by."""

    a: tuple[TrialRecord, ...]
    b: tuple[TrialRecord, ...]
    differences: tuple[Difference, ...]
    left_out: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "a": [record.to_json() for record in self.a],
            "b": [record.to_json() for record in self.b],
            "differences": [difference.to_json() for difference in self.differences],
            "left_out": self.left_out,
        }


def compare(store: Store, a: str | int, b: str | int, *, forced: bool = False) -> Comparison:
    """Compare the recipes of two trials, by all trials of them in the same places.

    Raises StoreError for a trial that there is not, or that did not finish, and for two that are
    not of the same task, share of the training and split. What depends on the setting is left
    out if theirs differ, unless ``forced``.
    """
    first, second = (_finished(store, name) for name in (a, b))
    _check_alike(first, second)
    ours, theirs = _by_seed(store, first), _by_seed(store, second)
    seeds = sorted(ours.keys() & theirs.keys())
    pairs = [(ours[seed], theirs[seed]) for seed in seeds] or [(first, second)]
    names = [n for n in first.measured if all(n in r.measured for pair in pairs for r in pair)]
    apart = not forced and first.setting != second.setting
    left_out = [name for name in names if apart and bound(name)]
    found = [_difference(n, pairs) for n in sorted(names) if n not in left_out]
    why = f"measured in another setting: {first.setting}, against {second.setting}"
    return Comparison(
        tuple(pair[0] for pair in pairs),
        tuple(pair[1] for pair in pairs),
        tuple(found),
        f"{', '.join(sorted(left_out))} {why}" if left_out else "",
    )


def _finished(store: Store, name: str | int) -> TrialRecord:
    found = trial(store, name)
    if found.state != "finished":
        raise StoreError(f"Trial {name} is {found.state}, so nothing can be compared with it.")
    return found


def _check_alike(first: TrialRecord, second: TrialRecord) -> None:
    for what, one, other in (
        ("task", first.fingerprint, second.fingerprint),
        ("share of the training", first.fidelity, second.fidelity),
        ("split they are judged on", first.purpose == "search", second.purpose == "search"),
    ):
        if one != other:
            raise StoreError(
                f"Trials {first.id} and {second.id} differ in the {what}, so their figures do not"
                " compare; choose two that share it: effauto results list --task NAME"
            )


def _by_seed(store: Store, like: TrialRecord) -> dict[int, TrialRecord]:
    """The newest trial of the same recipe for each seed, in the same place."""
    wanted = Filter(
        task=like.fingerprint, model=like.model.name, hardware=like.hardware, state="finished",
        recipe=like.recipe.key, fidelity=like.fidelity,
    )  # fmt: skip
    found: dict[int, TrialRecord] = {}
    for record in trials(store, wanted):
        if record.setting == like.setting and (record.purpose == "search") == (
            like.purpose == "search"
        ):
            found.setdefault(record.seed, record)
    return found


def _difference(resource: str, pairs: Sequence[tuple[TrialRecord, TrialRecord]]) -> Difference:
    figures = [(one.measured[resource], other.measured[resource]) for one, other in pairs]
    points = resource.startswith(SHARES)
    changes = [_change(one.value, other.value, points=points) for one, other in figures]
    middle, margin, chance_more = _spread(changes, figures, points=points)
    back = (lambda x: x) if points else math.exp
    known = resource in RESOURCES or resource.startswith(QUALITY)
    more_is_better = known and resource_named(resource).higher_is_better
    change, low, high = (back(x) for x in (middle, middle - margin, middle + margin))
    return Difference(
        resource=resource,
        unit=figures[0][0].unit,
        a=fmean(one.value for one, _ in figures),
        b=fmean(other.value for _, other in figures),
        change=change,
        low=low,
        high=high,
        better=chance_more if more_is_better else 1 - chance_more,
        seeds=len(pairs),
    )


def _change(one: float, other: float, *, points: bool) -> float:
    return other - one if points else math.log(max(other, 1e-12) / max(one, 1e-12))


def _spread(
    changes: Sequence[float], figures: Sequence[tuple[Figure, Figure]], *, points: bool
) -> tuple[float, float, float]:
    """The mean change, half its 80 % range, and the probability that it is above 0.

    With several seeds by Student's t of the pairs; with one, by the ranges of its two figures.
    """
    from scipy.stats import norm, t

    middle = fmean(changes)
    if len(changes) > 1:
        error = max(stdev(changes), LEAST_DEVIATION) / math.sqrt(len(changes))
        law = t(len(changes) - 1)
    else:
        parts = (_deviation(figure, points=points) for figure in figures[0])
        error, law = max(math.hypot(*parts), LEAST_DEVIATION), norm
    return middle, float(law.ppf(0.9)) * error, float(law.cdf(middle / error))


def _deviation(figure: Figure, *, points: bool) -> float:
    return figure.deviation if points else figure.deviation / max(abs(figure.value), 1e-12)
