"""One limit on a resource: ``train.time<=10min``, or ``inference.latency<=0.5x``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effauto.errors import BudgetError
from effauto.quantities import CURRENCIES, parse_quantity, positive, show
from effauto.resources import SHARES, Figure, Resource, resource_named

# A limit that a figure is multiplied or divided by must be more than zero.
LEAST = 1e-12


@dataclass(frozen=True)
class Limit:
    """The most, or for a resource of which more is better the least, of one resource.

    ``text`` is how a limit relative to the baseline was written; it is empty for others.
    """

    resource: str
    limit: float
    unit: str
    text: str = ""

    @property
    def at_least(self) -> bool:
        return resource_named(self.resource).higher_is_better

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def excess(self, value: float) -> float:
        """By which factor ``value`` misses the limit: 1 or less if it is met."""
        if self.at_least:
            return self.limit / max(value, LEAST)
        return value / self.limit

    def __str__(self) -> str:
        shown = show(self.limit, self.unit)
        if self.text:
            return f"{self.text} ({shown})"
        return f"{self.resource}{sign_of(resource_named(self.resource))}{shown}"

    def to_json(self) -> dict[str, Any]:
        plain = {"resource": self.resource, "limit": self.limit, "unit": self.unit}
        return plain | ({"text": self.text} if self.text else {})


@dataclass(frozen=True)
class RelativeLimit:
    """A limit of ``times`` what the untouched baseline has, ``plus`` so much (in SI units)."""

    resource: str
    times: float
    plus: float
    text: str

    def at(self, baseline: Figure) -> Limit:
        """The limit, now that the baseline's figure is known."""
        limit = self.times * baseline.value + self.plus
        return Limit(self.resource, max(LEAST, limit), baseline.unit, self.text)

    def __str__(self) -> str:
        return self.text

    def to_json(self) -> dict[str, Any]:
        unit = resource_named(self.resource).unit
        return {"resource": self.resource, "limit": None, "unit": unit, "text": self.text}


_LIMIT = re.compile(r"\s*([a-z]+(?:\.[a-z0-9_]+)?)\s*(<=|>=|<|>|=)\s*([^=\s].*?)\s*", re.DOTALL)
_TIMES = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*[x×]")
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*%")
_BASELINE = re.compile(r"baseline\s*(?:([+-])\s*([^\s+-].*))?")


def sign_of(resource: Resource) -> str:
    """How a limit on the resource is written: at least, or at most."""
    return ">=" if resource.higher_is_better else "<="


def parse_limit(text: str) -> Limit:
    """Read one limit that does not need a baseline; see :func:`parse_budget`."""
    limit = read_limit(text)
    if isinstance(limit, RelativeLimit):
        raise BudgetError(f"{text!r}: there is no baseline here that a limit could be relative to")
    return limit


def read_limit(text: str) -> Limit | RelativeLimit:
    """Read a limit; see :func:`effauto.budget.parse_budget`."""
    match = _LIMIT.fullmatch(text)
    if not match:
        raise BudgetError(
            f"{text!r} is no limit; write RESOURCE<=QUANTITY, as in train.time<=10min"
        )
    name, sign, quantity = match.groups()
    resource = resource_named(name)
    wanted = sign_of(resource)
    if sign != wanted:
        better = "more" if resource.higher_is_better else "less"
        raise BudgetError(f"{text!r}: {better} {name} is better, so write {name}{wanted}{quantity}")
    if _TIMES.fullmatch(quantity) or quantity.startswith("baseline"):
        return _relative(resource, quantity)
    value, unit = parse_quantity(quantity, resource)
    if name.startswith(SHARES) and value > 1:
        raise BudgetError(f"{text!r}: a quality lies between 0 and 1 (or 0% and 100%)")
    return Limit(name, value, unit)


def _relative(resource: Resource, quantity: str) -> RelativeLimit:
    name, text = resource.name, f"{resource.name}{sign_of(resource)}{quantity}"
    if name.startswith("search."):
        raise BudgetError(
            f"{text!r}: no baseline is searched for; write a quantity, such as {resource.examples}"
        )
    times, match = _TIMES.fullmatch(quantity), _BASELINE.fullmatch(quantity)
    if times:
        return RelativeLimit(name, positive(float(times[1]), quantity, resource), 0.0, text)
    if not match:
        raise BudgetError(f"{text!r}: write baseline, or as in baseline-1% what it may differ by")
    if not match[1]:
        return RelativeLimit(name, 1.0, 0.0, text)
    share, plus = _difference(text, resource, match[2])
    by = -1.0 if match[1] == "-" else 1.0
    if 1.0 + by * share <= 0:
        raise BudgetError(f"{text!r}: nothing of the baseline's figure would be left")
    return RelativeLimit(name, 1.0 + by * share, by * plus, text)


def _difference(text: str, resource: Resource, written: str) -> tuple[float, float]:
    """A difference as a share of the baseline's figure, and in the resource's unit."""
    percent = _PERCENT.fullmatch(written)
    if percent and not resource.name.startswith(SHARES):
        return float(percent[1]) / 100, 0.0
    if resource.unit == "money":
        raise BudgetError(f"{text!r}: write a share of the baseline's cost, as in baseline-10%")
    plus, _ = parse_quantity(written, resource)
    if resource.name.startswith(SHARES) and plus > 1:
        raise BudgetError(f"{text!r}: a quality lies between 0 and 1 (or 0% and 100%)")
    return 0.0, plus


def limit_from_json(data: Mapping[str, Any]) -> Limit | RelativeLimit:
    """Read ``to_json``; raise BudgetError for a limit that cannot be written as text."""
    text = data.get("text", "")
    if text:
        written = read_limit(text)
        if not isinstance(written, RelativeLimit) or written.resource != data["resource"]:
            raise BudgetError(f"{text!r:.60} is no limit on {data['resource']!r:.60} by a baseline")
        if data["limit"] is None:
            return written
    resource, unit = resource_named(data["resource"]), data["unit"]
    if unit not in (CURRENCIES if resource.unit == "money" else (resource.unit,)):
        raise BudgetError(f"{resource.name} is kept in {resource.unit}, not in {unit!r:.60}")
    limit = positive(float(data["limit"]), f"{data['limit']}", resource)
    return Limit(resource.name, limit, unit, text)
