"""A budget: limits on resources, all of which must be met."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from effauto.errors import BudgetError
from effauto.limits import Limit, RelativeLimit, limit_from_json, parse_limit, read_limit
from effauto.resources import GUARD, Figures

__all__ = ["Budget", "Limit", "RelativeLimit", "parse_budget", "parse_limit"]


@dataclass(frozen=True)
class Budget:
    """Limits that must all be met; an empty budget allows everything.

    ``relative`` ones take part once :meth:`against` has made limits of them.
    """

    limits: tuple[Limit, ...] = ()
    relative: tuple[RelativeLimit, ...] = ()

    def __iter__(self) -> Iterator[Limit]:
        return iter(self.limits)

    def against(self, baseline: Figures) -> Budget:
        """The budget with the relative limits made absolute of which the baseline has a figure."""
        if not self.relative:
            return self
        known = [limit.at(baseline[limit.resource]) for limit in self.relative
                 if limit.resource in baseline]  # fmt: skip
        unknown = tuple(limit for limit in self.relative if limit.resource not in baseline)
        return Budget((*self.limits, *known), unknown)

    def as_asked(self) -> Budget:
        """The budget as it was written: what :meth:`against` made absolute is relative again."""
        written = [read_limit(limit.text) for limit in self.limits if limit.text]
        relative = tuple(limit for limit in written if isinstance(limit, RelativeLimit))
        absolute = tuple(limit for limit in self.limits if not limit.text)
        return Budget(absolute, (*relative, *self.relative))

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
        return Budget(
            tuple(limit for limit in self.limits if limit.resource.startswith(chosen)),
            tuple(limit for limit in self.relative if limit.resource.startswith(chosen)),
        )

    def tightened(self, share: float) -> Budget:
        """The same, of each upper limit only so much; relative ones are left out."""
        return Budget(
            tuple(
                one if one.at_least else replace(one, limit=share * one.limit)
                for one in self.limits
            )
        )

    def to_json(self) -> list[dict[str, Any]]:
        return [
            *(limit.to_json() for limit in self.limits),
            *(limit.to_json() for limit in self.relative),
        ]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> Budget:
        """Read :meth:`to_json`; raise BudgetError for a limit that cannot be written as text."""
        return _together(map(limit_from_json, data))


def _together(limits: Iterable[Limit | RelativeLimit]) -> Budget:
    found = list(limits)
    return Budget(
        tuple(limit for limit in found if isinstance(limit, Limit)),
        tuple(limit for limit in found if isinstance(limit, RelativeLimit)),
    )


def _or_worst(limit: Limit, values: Mapping[str, float]) -> float:
    value = values.get(limit.resource, math.nan)
    if math.isfinite(value):
        return value
    return -math.inf if limit.at_least else math.inf


_GUARD = re.compile(r"\s*([a-z-]+)\s*>=\s*(-?)\s*([^\s-].*?)\s*")
GUARDS = ("worst-class", "loyalty")


def parse_guard(text: str) -> str:
    """The limit, as text, that a guard such as ``worst-class>=-2%`` or ``loyalty>=95%`` means.

    What is negative is relative to the untouched baseline. Raises BudgetError for no guard.
    """
    match = _GUARD.fullmatch(text)
    if not match or match[1] not in GUARDS:
        raise BudgetError(
            f"{text!r} is no guard; write worst-class>=-2% (against the untouched model), "
            "worst-class>=80% or loyalty>=95%"
        )
    name, minus, quantity = match.groups()
    start = "baseline-" if minus else ""
    return f"{GUARD}{name.replace('-', '_')}>={start}{quantity}"


def parse_budget(texts: Iterable[str], guards: Iterable[str] = ()) -> Budget:
    """Read limits such as ``model.size<=25MiB``, and such as ``inference.latency<=0.5x``.

    Relative to the untouched baseline are ``0.5x``, ``baseline``, ``baseline-1%`` (points of a
    quality, else a share of the baseline's figure) and ``baseline+2ms``. Raises BudgetError with
    the resources or units that would have been right. ``guards`` are read by :func:`parse_guard`.
    """
    return _together(map(read_limit, [*texts, *map(parse_guard, guards)]))
