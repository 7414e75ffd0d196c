"""The settings a method can be tuned by: a default, and the range worth searching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effauto.errors import DeclarationError, SettingError

Value = str | int | float | bool
Setting = Mapping[str, Any]


@dataclass(frozen=True)
class Float:
    """A real number in ``[low, high]``, searched on a log scale if ``log``."""

    low: float
    high: float
    default: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self)

    def check(self, value: Any) -> float:
        """Return ``value`` as a float; raise SettingError if it is none or out of range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"must be a number, not {value!r}")
        if not self.low <= value <= self.high:
            raise SettingError(f"must lie between {self.low:g} and {self.high:g}, not {value:g}")
        return float(value)


@dataclass(frozen=True)
class Int:
    """A whole number in ``[low, high]``, searched on a log scale if ``log``."""

    low: int
    high: int
    default: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_range(self)

    def check(self, value: Any) -> int:
        """Return ``value`` as an int; raise SettingError if it is none or out of range."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise SettingError(f"must be a whole number, not {value!r}")
        if not self.low <= value <= self.high:
            raise SettingError(f"must lie between {self.low} and {self.high}, not {value}")
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few options, in no order."""

    options: tuple[Value, ...]
    default: Value

    def __post_init__(self) -> None:
        if self.default not in self.options or len(set(self.options)) < len(self.options):
            raise DeclarationError(f"the default {self.default!r} is not one of {self.options}")

    def check(self, value: Any) -> Value:
        """Return the option equal to ``value``; raise SettingError if there is none."""
        for option in self.options:
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return option
        raise SettingError(f"must be one of {', '.join(map(str, self.options))}, not {value!r}")


Knob = Float | Int | Choice


def _check_range(knob: Float | Int) -> None:
    if not knob.low <= knob.default <= knob.high:
        raise DeclarationError(f"the default {knob.default} is outside {knob.low} … {knob.high}")
    if knob.log and knob.low <= 0:
        raise DeclarationError(f"a log scale cannot start at {knob.low}")


def complete(knobs: Mapping[str, Knob], given: Setting) -> dict[str, Value]:
    """Return a value for each knob: the given one, checked, or the default.

    Raises SettingError, naming the knob, for an unknown knob or a value it cannot take.
    """
    for name in given:
        if name not in knobs:
            known = ", ".join(knobs) or "none"
            raise SettingError(f"there is no knob {name!r} (knobs: {known})")
    setting: dict[str, Value] = {}
    for name, knob in knobs.items():
        try:
            setting[name] = knob.check(given.get(name, knob.default))
        except SettingError as error:
            raise SettingError(f"{name} {error}") from None
    return setting
