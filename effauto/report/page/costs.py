"""For which setting the figures hold, and what finding them took."""

from __future__ import annotations

from collections.abc import Iterator

from effauto.cost.energy import grams
from effauto.cost.ranges import exact
from effauto.planner.answers.plan import Plan
from effauto.quantities import show

Labelled = tuple[str, str]


def target_setting(plan: Plan) -> list[Labelled]:
    """The machine, and how requests reach it."""
    machine = plan.hardware
    gpus = ", ".join(gpu.name for gpu in machine.accelerators)
    known = "speeds measured on it" if machine.calibrated else "speeds from its data sheet"
    return [
        ("Machine", f"{machine.name} ({known})"),
        ("Processor", f"{machine.processor}, {machine.threads} of {machine.cores} cores used"),
        ("GPU", gpus or "none"),
        ("Memory", show(machine.memory_bytes, "byte")),
        ("Power", f"{machine.watts.value:.3g} W ({machine.power_counter or 'modelled'})"),
        ("Latency", "one request at a time (batch 1), median"),
        ("Throughput", "32 requests at a time (batch 32)"),
        ("Carbon", plan.place.note),
    ]


def search_costs(plan: Plan) -> list[Labelled]:
    """What the search took: time, energy, carbon, money where there are prices."""
    if not plan.search["seconds"]:
        return [("Search", "none: the answer is foretold from what is known")]
    return list(_spent(plan))


def _spent(plan: Plan) -> Iterator[Labelled]:
    spent = plan.search
    yield "Trials", f"{spent['trials']}, of which {spent['failed']} failed"
    yield "Time", show(spent["seconds"], "s")
    if spent["energy"]:
        carbon = grams(exact(spent["energy"]), plan.place)
        yield "Energy", show(spent["energy"], "joule")
        between = f"{show(carbon.low, 'gram')} … {show(carbon.high, 'gram')}"
        yield "Carbon", f"{show(carbon.value, 'gram')} CO₂e ({between})"
    if plan.ledger and plan.ledger.currency:
        yield "Money", f"{plan.ledger.plan.phases['tune'].money:.3g} {plan.ledger.currency}"
