"""From how many requests on a recipe that serves cheaper has paid for its training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from effauto.errors import InputError
from effauto.quantities import show

DAY, MONTH = 86400.0, 30 * 86400.0
Pays = Literal["always", "never", "from", "until"]


@dataclass(frozen=True)
class BreakEven:
    """How the chosen recipe compares with ``against``: it pays from or until so many requests.

    ``unit`` is joule or a currency; ``searched`` tells whether the search is charged to it.
    """

    against: str
    unit: str
    searched: bool
    pays: Pays
    requests: float

    @property
    def sentence(self) -> str:
        what = "energy" if self.unit == "joule" else self.unit
        charged = ", the search included," if self.searched else ""
        requests = show(self.requests, "1")
        when = {
            "always": "from the first request",
            "never": "at no number of requests",
            "from": f"from {requests} requests on",
            "until": f"up to {requests} requests",
        }
        return f"Against {self.against} it pays in {what}{charged} {when[self.pays]}"


def break_even(
    against: str,
    unit: str,
    training: tuple[float, float],
    request: tuple[float, float],
    *,
    searched: bool = False,
) -> BreakEven:
    """N* = (training A - training B) / (request B - request A); each pair is (ours, the other)."""
    dearer, saved = training[0] - training[1], request[1] - request[0]
    if dearer <= 0 <= saved:
        return BreakEven(against, unit, searched, "always", 0.0)
    if saved <= 0 <= dearer:
        return BreakEven(against, unit, searched, "never", 0.0)
    pays: Pays = "from" if dearer > 0 else "until"
    return BreakEven(against, unit, searched, pays, dearer / saved)


def parse_rate(text: str) -> float:
    """Requests a second, from such as ``1e6/day``; raise InputError for anything else."""
    import pint

    try:
        if len(text) > 40 or "**" in text or "^" in text:  # pint would compute 9**9**9
            raise ValueError
        rate = float(pint.UnitRegistry(cache_folder=None).Quantity(text).to("1/second").magnitude)
    except Exception as error:  # pint evaluates an expression: odd input fails in odd ways
        raise InputError(
            f"{text[:40]!r} is no number of requests; write 1e6/day or 20/s"
        ) from error
    if not 0 < rate < math.inf:
        raise InputError(f"{text!r}: requests must be more than none, and finite")
    return rate


@dataclass(frozen=True)
class Volume:
    """What a given number of requests a second takes, answered one at a time on this machine.

    ``busy`` is the share of the time that it computes; the rest is for a month of 30 days.
    """

    per_second: float
    busy: float
    joules: float
    money: float
    storage: float

    @property
    def sentence(self) -> str:
        daily = show(round(self.per_second * DAY, 3), "1")
        return (
            f"{daily} requests a day keep {self.busy:.1%} of this machine busy and take "
            f"{show(self.joules, 'joule')} a month"
        )

    def days(self, found: BreakEven) -> float:
        """After how many days so many requests have come."""
        return found.requests / (self.per_second * DAY)
