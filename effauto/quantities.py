"""Quantities as people like to read them."""

from __future__ import annotations

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
