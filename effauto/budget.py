"""A budget: limits on resources, written as ``train.time<=10min``."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from effauto.errors import BudgetError
from effauto.quantities import show
from effauto.resources import QUALITY, Figures, Resource, resource_named

if TYPE_CHECKING:
    import pint

# What pint calls the unit in which a resource is kept; the rest are dimensionless counts.
_PINT_UNITS = {"s": "second", "byte": "byte", "joule": "joule", "gram": "gram", "1/s": "1/second"}
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR")


@dataclass(frozen=True)
class Limit:
    """The most, or for a resource of which more is better the least, of one resource."""

    resource: str
    limit: float
    unit: str

    @property
    def at_least(self) -> bool:
        return resource_named(self.resource).higher_is_better

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def excess(self, value: float) -> float:
        """By which factor ``value`` misses the limit: 1 or less if it is met."""
        if self.at_least:
            return self.limit / max(value, 1e-12)
        return value / self.limit

    def __str__(self) -> str:
        return f"{self.resource}{'>=' if self.at_least else '<='}{show(self.limit, self.unit)}"


@dataclass(frozen=True)
class Budget:
    """Limits that must all be met; an empty budget allows everything."""

    limits: tuple[Limit, ...] = ()

    def __iter__(self) -> Iterator[Limit]:
        return iter(self.limits)

    def limit_on(self, resource: str) -> float | None:
        """The tightest limit on ``resource``, or None."""
        found = [limit for limit in self.limits if limit.resource == resource]
        if not found:
            return None
        return min(found, key=lambda limit: -limit.limit if limit.at_least else limit.limit).limit

    def broken(self, values: Mapping[str, float]) -> list[Limit]:
        """The limits that ``values`` break; a missing or undefined value meets none."""
        return [limit for limit in self.limits if not limit.met(_or_worst(limit, values))]

    def surely_broken(self, foretold: Figures) -> list[Limit]:
        """The limits that even the kind end of each foretold range breaks."""
        broken = []
        for limit in self.limits:
            figure = foretold.get(limit.resource)
            if figure and not limit.met(figure.high if limit.at_least else figure.low):
                broken.append(limit)
        return broken

    def of_phases(self, *phases: str) -> Budget:
        """The limits whose resource starts with one of ``phases``, such as ``"model"``."""
        chosen = tuple(f"{phase}." for phase in phases)
        return Budget(tuple(limit for limit in self.limits if limit.resource.startswith(chosen)))

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"resource": limit.resource, "limit": limit.limit, "unit": limit.unit} for limit in self
        ]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> Budget:
        """Read :meth:`to_json`; raise BudgetError for a limit that cannot be written as text."""
        return cls(tuple(map(_limit_from_json, data)))


def _limit_from_json(data: Mapping[str, Any]) -> Limit:
    resource, unit = resource_named(data["resource"]), data["unit"]
    if unit not in (CURRENCIES if resource.unit == "money" else (resource.unit,)):
        raise BudgetError(f"{resource.name} is kept in {resource.unit}, not in {unit!r:.60}")
    return Limit(resource.name, _positive(float(data["limit"]), f"{data['limit']}", resource), unit)


def _or_worst(limit: Limit, values: Mapping[str, float]) -> float:
    value = values.get(limit.resource, math.nan)
    if math.isfinite(value):
        return value
    return -math.inf if limit.at_least else math.inf


_LIMIT = re.compile(r"\s*([a-z]+(?:\.[a-z0-9_]+)?)\s*(<=|>=|<|>|=)\s*([^=\s].*?)\s*", re.DOTALL)


def parse_budget(texts: Iterable[str]) -> Budget:
    """Read limits such as ``model.size<=25MiB``.

    Raises BudgetError with the resources or units that would have been right.
    """
    return Budget(tuple(parse_limit(text) for text in texts))


def parse_limit(text: str) -> Limit:
    """Read one limit; see :func:`parse_budget`."""
    match = _LIMIT.fullmatch(text)
    if not match:
        raise BudgetError(
            f"{text!r} is no limit; write RESOURCE<=QUANTITY, as in train.time<=10min"
        )
    name, sign, quantity = match.groups()
    resource = resource_named(name)
    wanted = ">=" if resource.higher_is_better else "<="
    if sign != wanted:
        better = "more" if resource.higher_is_better else "less"
        raise BudgetError(f"{text!r}: {better} {name} is better, so write {name}{wanted}{quantity}")
    value, unit = parse_quantity(quantity, resource)
    if name.startswith(QUALITY) and value > 1:
        raise BudgetError(f"{text!r}: a quality lies between 0 and 1 (or 0% and 100%)")
    return Limit(name, value, unit)


def parse_quantity(text: str, resource: Resource) -> tuple[float, str]:
    """Return ``text`` as a number in the unit of ``resource``, and that unit.

    Raises BudgetError if it is no positive, finite quantity of that kind.
    """
    if resource.unit == "money":
        return _parse_money(text, resource)
    try:
        quantity: Any = _registry().Quantity(_spell_out(text))
        value = float(quantity.to(_PINT_UNITS.get(resource.unit, "")).magnitude)
    except Exception as error:  # pint evaluates an expression: odd input fails in odd ways
        raise _not_a_quantity(text, resource) from error
    return _positive(value, text, resource), resource.unit


def _parse_money(text: str, resource: Resource) -> tuple[float, str]:
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([A-Z]{3})\s*", text)
    if not match or match[2] not in CURRENCIES:
        raise BudgetError(
            f"{text!r} is no sum of money; write a number and one of {', '.join(CURRENCIES)}"
        )
    try:
        return _positive(float(match[1]), text, resource), match[2]
    except ValueError:
        raise _not_a_quantity(text, resource) from None


def _positive(value: float, text: str, resource: Resource) -> float:
    if not math.isfinite(value) or value <= 0:
        raise BudgetError(f"{resource.name}: {text!r} must be more than zero and finite")
    return value


def _not_a_quantity(text: str, resource: Resource) -> BudgetError:
    unit = "a plain number" if resource.unit == "1" else f"a quantity in {resource.unit}"
    return BudgetError(
        f"{resource.name} takes {unit} ({resource.meaning}), such as {resource.examples};"
        f" {text.strip()[:60]!r} is none"
    )


def _spell_out(text: str) -> str:
    if len(text) > 60 or "**" in text or "^" in text:  # pint would compute 9**9**9
        raise ValueError("too long")
    text = re.sub(r"(?<=\d)\s*%", " percent", text)
    if re.fullmatch(r"\s*[\d.eE+-]+\s*/\s*s\s*", text):
        return text.replace("/", " / ")
    return text


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(cache_folder=None)
    registry.define("FLOP = [] = flop")
    return registry
