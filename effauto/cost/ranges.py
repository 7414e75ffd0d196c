"""Numbers that carry a range, and the arithmetic that keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from effauto.machine import Rate
from effauto.resources import Figure, Tier


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is not negative, and the 80 % range it may lie in."""

    low: float
    value: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.value + other.value, self.high + other.high)

    def __mul__(self, other: Range) -> Range:
        return Range(self.low * other.low, self.value * other.value, self.high * other.high)

    def scaled(self, factor: float) -> Range:
        return Range(self.low * factor, self.value * factor, self.high * factor)

    def inverse(self) -> Range:
        """One over the range, whose ends change places."""
        return Range(1.0 / self.high, 1.0 / self.value, 1.0 / self.low)

    def figure(self, unit: str, tier: Tier, note: str = "") -> Figure:
        return Figure(self.value, unit, self.low, self.high, tier, note)


NOTHING = Range(0.0, 0.0, 0.0)


def exact(value: float) -> Range:
    return Range(value, value, value)


def seconds(amount: float, rate: Rate) -> Range:
    """How long ``amount`` takes at ``rate``."""
    return Range(amount / rate.high, amount / rate.value, amount / rate.low)


def larger(one: Range, other: Range) -> Range:
    """The time of two things done at once: each end is that of the slower."""
    return Range(max(one.low, other.low), max(one.value, other.value), max(one.high, other.high))
