"""The ledger of a plan: its account beside the untouched recipe's, and from where it pays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from effauto.cost.account import Account, Spent
from effauto.cost.breakeven import MONTH, BreakEven, Volume, break_even


@dataclass(frozen=True)
class Reached:
    """A recipe foretold to reach the target, and what one training of it costs."""

    name: str
    training: Spent


@dataclass(frozen=True)
class Target:
    """A quality, whose it is, and what reaches it, cheapest first."""

    quality: float
    of: str
    reached: tuple[Reached, ...]


@dataclass(frozen=True)
class Ledger:
    """The chosen recipe's account beside the untouched one's, and from where it pays."""

    plan: Account
    baseline: Account
    currency: str
    target: Target | None
    break_even: tuple[BreakEven, ...]
    volume: Volume | None = None

    @property
    def ratios(self) -> dict[str, float]:
        """E, D, H and all training time together, relative to the baseline."""
        plan, base = self.plan, self.baseline
        return {
            "E": _ratio(plan.example.seconds, base.example.seconds),
            "D": _ratio(plan.examples, base.examples),
            "H": _ratio(plan.runs, base.runs),
            "total": _ratio(plan.total.seconds, base.total.seconds),
        }

    def to_json(self) -> dict[str, Any]:
        return {**json.loads(json.dumps(asdict(self))), "ratios": self.ratios}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ledger:
        """Read :meth:`to_json`; raise KeyError, TypeError or ValueError for anything else."""
        target, volume = data["target"], data["volume"]
        return cls(
            plan=Account.from_json(data["plan"]),
            baseline=Account.from_json(data["baseline"]),
            currency=data["currency"],
            target=None if target is None else _target(target),
            break_even=tuple(BreakEven(**found) for found in data["break_even"]),
            volume=None if volume is None else Volume(**volume),
        )


def _target(data: Mapping[str, Any]) -> Target:
    reached = tuple(Reached(one["name"], Spent(**one["training"])) for one in data["reached"])
    return Target(data["quality"], data["of"], reached)


def _ratio(one: float, other: float) -> float:
    return one / other if other > 0 else 0.0


def paying(plan: Account, rivals: Iterable[Account], currency: str) -> tuple[BreakEven, ...]:
    """Where ``plan`` pays against each rival: in energy, in money if it has a currency.

    The search is charged to it too, in lines of their own, if there was one.
    """
    found = []
    for rival in rivals:
        for searched in (False, True) if plan.phases["tune"].seconds else (False,):
            ours, theirs = (plan.total if searched else plan.training), rival.training
            for unit in ("joules", "money") if currency else ("joules",):
                found.append(
                    break_even(
                        rival.name,
                        currency if unit == "money" else "joule",
                        (getattr(ours, unit), getattr(theirs, unit)),
                        (getattr(plan.request, unit), getattr(rival.request, unit)),
                        searched=searched,
                    )
                )
    return tuple(found)


def at_volume(ledger: Ledger, per_second: float) -> Ledger:
    """The ledger with what so many requests a second take in a month."""
    request, month = ledger.plan.request, per_second * MONTH
    volume = Volume(
        per_second,
        busy=per_second * request.seconds,
        joules=request.joules * month,
        money=request.money * month,
        storage=ledger.plan.storage,
    )
    return replace(ledger, volume=volume)
