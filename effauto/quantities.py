"""Quantities as people like to read them, and as they write them."""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Any

from effauto.errors import BudgetError

if TYPE_CHECKING:
    import pint

    from effauto.resources import Resource

# What pint calls the unit in which a resource is kept; the rest are dimensionless counts.
_PINT_UNITS = {"s": "second", "byte": "byte", "joule": "joule", "gram": "gram", "1/s": "1/second"}
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR")

_TIMES = ((3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_COUNTS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_JOULES = ((3.6e6, "kWh"), (3.6e3, "Wh"), (1.0, "J"))
_GRAMS = ((1e3, "kg"), (1.0, "g"), (1e-3, "mg"))
_SCALES = {"s": _TIMES, "byte": _BYTES, "joule": _JOULES, "gram": _GRAMS, "1": _COUNTS}


def show(value: float, unit: str) -> str:
    """Write ``value`` with three significant digits and a fitting prefix: ``4.2ms``, ``87MiB``."""
    if unit in ("1/s",):
        return f"{_digits(value)}/s"
    for size, name in _SCALES.get(unit, ()):
        if abs(value) >= size:
            return f"{_digits(value / size)}{name}"
    if unit == "1":
        return _digits(value)
    last = _SCALES[unit][-1] if unit in _SCALES else (1.0, unit)
    return "0" + last[1] if value == 0 else f"{_digits(value / last[0])}{last[1]}"


def _digits(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


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
    return positive(value, text, resource), resource.unit


def _parse_money(text: str, resource: Resource) -> tuple[float, str]:
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*([A-Z]{3})\s*", text)
    if not match or match[2] not in CURRENCIES:
        raise BudgetError(
            f"{text!r} is no sum of money; write a number and one of {', '.join(CURRENCIES)}"
        )
    try:
        return positive(float(match[1]), text, resource), match[2]
    except ValueError:
        raise _not_a_quantity(text, resource) from None


def positive(value: float, text: str, resource: Resource) -> float:
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
