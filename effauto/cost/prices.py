"""Money: what an hour, a kilowatt-hour, a label and a month's storage cost, in one currency."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from effauto.budget import Budget, Limit
from effauto.cost.ranges import Range, exact
from effauto.errors import BudgetError
from effauto.quantities import CURRENCIES

_PER = {
    "hour": "hour",
    "h": "hour",
    "kWh": "kwh",
    "kwh": "kwh",
    "label": "label",
    "GB-month": "gb_month",
}
_PRICE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Z]{3})\s*/\s*([A-Za-z-]+)\s*")
_FORM = "write a price as 0.5EUR/hour, 0.30EUR/kWh, 0.02EUR/label or 0.02EUR/GB-month"
GIGABYTE = 1e9


@dataclass(frozen=True)
class Prices:
    """What things cost; without any price, no cost is foretold.

    ``gb_month`` is for keeping 10⁹ bytes a month.
    """

    hour: float = 0.0
    kwh: float = 0.0
    label: float = 0.0
    gb_month: float = 0.0
    currency: str = ""

    def of(self, seconds: Range, kilowatt_hours: Range, labels: float) -> Range:
        """The money that machine, electricity and labels take together."""
        machine = seconds.scaled(self.hour / 3600.0)
        return machine + kilowatt_hours.scaled(self.kwh) + exact(labels * self.label)

    def of_storage(self, size: Range) -> Range:
        """The money for keeping ``size`` bytes a month."""
        return size.scaled(self.gb_month / GIGABYTE)

    def require_for(self, budget: Budget) -> None:
        """Raise BudgetError if ``budget`` limits money that these prices cannot tell."""
        for limit in (*budget, *budget.relative):
            if limit.resource not in ("train.cost", "life.cost", "search.cost"):
                continue
            if not self.currency:
                raise BudgetError(f"{limit} needs a price to reckon with: {_FORM}")
            if isinstance(limit, Limit) and limit.unit != self.currency:
                raise BudgetError(f"{limit} and the prices, in {self.currency}, differ in currency")


def parse_prices(texts: Iterable[str]) -> Prices:
    """Read prices such as ``0.5EUR/hour``; raise BudgetError for another form or two currencies."""
    found: dict[str, float] = {}
    currency = ""
    for text in texts:
        amount, theirs, thing = _parse(text)
        if currency and theirs != currency:
            raise BudgetError(f"prices are in {currency} and {theirs}; give all in one currency")
        if thing in found:
            raise BudgetError(f"{text!r}: there are two prices for one {thing}")
        currency, found[thing] = theirs, amount
    return Prices(**found, currency=currency)


def _parse(text: str) -> tuple[float, str, str]:
    match = _PRICE.fullmatch(text)
    if not match or match[3] not in _PER:
        raise BudgetError(f"{text.strip()[:60]!r} is no price; {_FORM}")
    if match[2] not in CURRENCIES:
        raise BudgetError(f"{text!r}: the currencies are {', '.join(CURRENCIES)}")
    amount = float(match[1])
    if not math.isfinite(amount):
        raise BudgetError(f"{text.strip()[:60]!r} is no finite price")
    return amount, match[2], _PER[match[3]]
