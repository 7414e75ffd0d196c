"""How well costs were foretold: what users were told beside what was measured."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from effauto.resources import Figure
from effauto.store import TrialRecord

WORST = 3


@dataclass(frozen=True)
class Accuracy:
    """Errors of one resource in one group of trials, as shares of what was measured.

    ``mape`` and ``median`` are of absolute errors; ``bias`` is the geometric mean of foretold over
    measured, less one; ``coverage`` the share of trials within their 80 % range; ``worst`` names
    trials, the furthest off first.
    """

    group: str
    resource: str
    trials: int
    mape: float
    median: float
    bias: float
    coverage: float
    worst: tuple[str, ...]


GROUPS: Mapping[str, Callable[[TrialRecord], Iterable[str]]] = {
    "resource": lambda record: ("all",),
    "method": lambda record: [step.method for step in record.recipe.steps] or ("untouched",),
    "machine": lambda record: (record.hardware,),
}


def accuracies(
    records: Iterable[TrialRecord], by: str = "resource", resources: Sequence[str] = ()
) -> list[Accuracy]:
    """One row for each group and resource of which trials have both figures, sorted by name."""
    found: dict[tuple[str, str], list[tuple[str, Figure, float]]] = {}
    for record in records:
        for resource, foretold, measured in _both(record):
            if resources and resource not in resources:
                continue
            for group in GROUPS[by](record):
                seen = (record.id, foretold, measured)
                found.setdefault((group, resource), []).append(seen)
    return [_accuracy(*key, found[key]) for key in sorted(found)]


def _both(record: TrialRecord) -> Iterator[tuple[str, Figure, float]]:
    for resource, foretold in record.foretold.items():
        measured = record.measured.get(resource)
        if measured and measured.tier == "measured" and foretold.value > 0 < measured.value:
            yield resource, foretold, measured.value


def _accuracy(group: str, resource: str, seen: Sequence[tuple[str, Figure, float]]) -> Accuracy:
    errors = [abs(foretold.value / measured - 1) for _, foretold, measured in seen]
    logs = {name: math.log(foretold.value / measured) for name, foretold, measured in seen}
    inside = [foretold.low <= measured <= foretold.high for _, foretold, measured in seen]
    return Accuracy(
        group,
        resource,
        trials=len(seen),
        mape=fmean(errors),
        median=median(errors),
        bias=math.exp(fmean(logs.values())) - 1,
        coverage=fmean(inside),
        worst=tuple(sorted(logs, key=lambda name: -abs(logs[name]))[:WORST]),
    )


def row(found: Accuracy, by: str) -> list[str]:
    """The cells of ``found`` for people."""
    named = [found.resource] if by == "resource" else [found.group, found.resource]
    return [
        *named,
        str(found.trials),
        f"{found.mape:.1%}",
        f"{found.median:.1%}",
        f"{found.bias:+.1%}",
        f"{found.coverage:.0%}",
        found.worst[0],
    ]


def titles(by: str) -> list[str]:
    named = ["Resource"] if by == "resource" else [by.capitalize(), "Resource"]
    return [*named, "n", "MAPE", "Median", "Bias", "In range", "Worst"]


def as_json(found: Iterable[Accuracy]) -> list[dict[str, Any]]:
    return [asdict(one) | {"worst": list(one.worst)} for one in found]


def as_csv(found: Iterable[Accuracy]) -> str:
    """Exact shares; the worst trials are joined by spaces."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(Accuracy.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) | {"worst": " ".join(one.worst)} for one in found)
    return text.getvalue()
