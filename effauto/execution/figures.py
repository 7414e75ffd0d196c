"""What a worker measured, as figures: with energy, carbon and money derived from time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from effauto.cost import Place, Prices
from effauto.cost.energy import grams, kilowatt_hours, spent
from effauto.cost.ranges import exact
from effauto.execution.device import memory_note
from effauto.machine import Hardware
from effauto.resources import Figure, exactly

_UNITS = {
    "train.time": "s",
    "train.cpu_time": "s",
    "train.memory": "byte",
    "train.flops": "1",
    "train.labels": "1",
    "model.parameters": "1",
    "inference.flops": "1",
}


def training_figures(
    values: Mapping[str, float], hardware: Hardware, place: Place, prices: Prices
) -> dict[str, Figure]:
    """Figures of a training, from the values that :func:`effauto.execution.train.train` returns.

    Energy is what counters read and a model of what they leave out, as a range.
    """
    figures = {name: exactly(values[name], unit) for name, unit in _UNITS.items() if name in values}
    if note := memory_note(values):
        figures["train.memory"] = replace(figures["train.memory"], note=note)
    seconds = exact(values["train.time"])
    energy, tier, note = spent(values, seconds.value, hardware)
    figures["train.energy"] = energy.figure("joule", tier, note)
    figures["train.carbon"] = grams(energy, place).figure("gram", "calibrated", place.note)
    if prices.currency:
        cost = prices.of(seconds, kilowatt_hours(energy, place), values["train.labels"])
        figures["train.cost"] = cost.figure(prices.currency, "measured")
    return figures
