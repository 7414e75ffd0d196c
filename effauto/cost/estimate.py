"""Foretell what a workload costs on a machine: pure arithmetic, thousands a second."""

from __future__ import annotations

from collections.abc import Mapping

from effauto.cost import energy, flops, memory, time
from effauto.cost.corrections import Correction
from effauto.cost.energy import Place
from effauto.cost.prices import Prices
from effauto.cost.ranges import Range, exact
from effauto.machine import Hardware
from effauto.resources import RESOURCES, Figure, Tier
from effauto.workload import Workload

ANYWHERE = Place()
NO_PRICES = Prices()
# Counts are exact where lengths are known; padding is foretold, and so is how many n-grams occur.
PADDED_COUNT = Range(0.85, 1.0, 1.15)
LINEAR_COUNT = Range(0.4, 1.0, 1.8)
# Methods may keep scales beside the numbers they round.
PARAMETER_COUNT = Range(1.0, 1.0, 1.005)


def estimate(
    work: Workload,
    hardware: Hardware,
    *,
    prices: Prices = NO_PRICES,
    place: Place = ANYWHERE,
    corrections: Mapping[str, Correction] | None = None,
) -> dict[str, Figure]:
    """Return a figure for every resource of training, serving and the model.

    ``train.cost`` is there only if a price is known. Energy and money follow a corrected time;
    carbon follows the energy.
    """
    ledger = _Ledger(hardware, corrections or {})
    counted = LINEAR_COUNT if work.family == "linear" else PADDED_COUNT
    ledger.add("train.flops", counted.scaled(flops.train_flops(work)))
    held = memory.train_bytes(work, hardware.device)
    ledger.add("train.memory", held, note=memory.train_note(work, hardware.device))
    ledger.add("train.labels", exact(work.labels))
    ledger.add("inference.flops", counted.scaled(flops.request_flops(work)))
    ledger.add("inference.memory", memory.serve_bytes(work, hardware.device))
    ledger.add("inference.latency", time.request_seconds(work, hardware), timed=True)
    ledger.add("inference.throughput", time.requests_a_second(work, hardware), timed=True)
    ledger.add("model.size", memory.folder_bytes(work))
    found = counted if work.family == "linear" else PARAMETER_COUNT
    ledger.add("model.parameters", found.scaled(work.parameters))
    _add_training_time(ledger, work, prices, place)
    return ledger.figures


def _add_training_time(ledger: _Ledger, work: Workload, prices: Prices, place: Place) -> None:
    raw = time.train_seconds(work, ledger.hardware)
    spent = ledger.add("train.time", raw, timed=True)
    followed = raw if "train.energy" in ledger.corrections else spent
    note = energy.power_note(ledger.hardware)
    used = energy.joules(followed, ledger.hardware)
    used = ledger.add("train.energy", used, timed=True, note=note)
    ledger.follow("train.carbon", energy.grams(used, place), place.note)
    if prices.currency:
        money = prices.of(spent, energy.kilowatt_hours(used, place), work.labels)
        ledger.follow("train.cost", money, "", unit=prices.currency)


class _Ledger:
    """Turns ranges into figures, corrected where measurements taught something."""

    def __init__(self, hardware: Hardware, corrections: Mapping[str, Correction]) -> None:
        self.hardware = hardware
        self.corrections = corrections
        self.figures: dict[str, Figure] = {}
        self._timed: Tier = "calibrated" if hardware.calibrated else "closed-form"

    def add(self, resource: str, raw: Range, *, timed: bool = False, note: str = "") -> Range:
        tier: Tier = self._timed if timed else "closed-form"
        correction = self.corrections.get(resource)
        if correction is not None and resource not in _COUNTED:
            raw, tier = correction.of(raw), "corrected"
        self.figures[resource] = raw.figure(RESOURCES[resource].unit, tier, note)
        return raw

    def follow(self, resource: str, found: Range, note: str, unit: str = "") -> None:
        tier = self.figures["train.energy"].tier
        self.figures[resource] = found.figure(unit or RESOURCES[resource].unit, tier, note)


# Counts are not foretold but known: a measurement that differs counted something else.
_COUNTED = ("train.labels", "model.parameters")
