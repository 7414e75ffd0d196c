"""What a model takes over its life: one training, and every request it is expected to answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from effauto.cost import energy
from effauto.cost.account import Tariff
from effauto.cost.breakeven import DAY, MONTH, parse_rate
from effauto.cost.ranges import Range
from effauto.quantities import parse_quantity, show
from effauto.resources import Figure, Figures, Resource

YEAR = 365.25 * DAY
_LIFETIME = Resource("lifetime", "s", "how long the model will be asked", "1year, 90days")


@dataclass(frozen=True)
class Use:
    """How often a model will be asked, and for how long, in requests a second and seconds."""

    per_second: float
    lifetime: float = YEAR

    def __post_init__(self) -> None:
        if not (0 < self.per_second < math.inf and 0 < self.lifetime < math.inf):
            raise ValueError(f"requests and their time must be more than none, and finite: {self}")

    @property
    def requests(self) -> float:
        return self.per_second * self.lifetime

    def __str__(self) -> str:
        return f"{show(self.requests, '1')} requests in {self.lifetime / DAY:.3g} days"


def parse_use(requests: str | None, lifetime: str) -> Use | None:
    """Read such as ``1e6/day`` and ``1year``; raise InputError for anything else.

    Without requests the lifetime says nothing, and is not read: units take a while to load.
    """
    if requests is None:
        return None
    seconds, _ = parse_quantity(lifetime, _LIFETIME)
    return Use(parse_rate(requests), seconds)


def life_figures(figures: Figures, use: Use | None, tariff: Tariff) -> Mapping[str, Figure]:
    """``life.energy``, and ``life.cost`` if there are prices, from what is known of a recipe.

    Requests are answered one at a time. Without a ``use``, or without the figures that this needs,
    there is nothing to tell.
    """
    if use is None or not {"train.energy", "inference.latency", "model.size"} <= figures.keys():
        return {}
    busy = _range(figures["inference.latency"]).scaled(use.requests)
    serving = energy.joules(busy, tariff.hardware)
    tier, note = figures["train.energy"].tier, f"one training and {use}"
    whole = _range(figures["train.energy"]) + serving
    found = {"life.energy": whole.figure("joule", tier, note)}
    if "train.cost" in figures:
        prices = tariff.prices
        money = prices.of(busy, energy.kilowatt_hours(serving, tariff.place), 0.0)
        months = use.lifetime / MONTH
        kept = prices.of_storage(_range(figures["model.size"])).scaled(months)
        whole = _range(figures["train.cost"]) + money + kept
        found["life.cost"] = whole.figure(prices.currency, tier, note)
    return found


def _range(figure: Figure) -> Range:
    return Range(figure.low, figure.value, figure.high)
