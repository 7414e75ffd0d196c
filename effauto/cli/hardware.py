"""``effauto hardware``: this machine, and those that plans can be made for."""

from __future__ import annotations

import math
from typing import Any

import click

from effauto.cli.app import App
from effauto.cli.options import database
from effauto.cli.output import format_option, print_json, print_table
from effauto.cost.corrections import LEAST_PAIRS, Correction
from effauto.machine import Hardware, Rate
from effauto.quantities import show

# What each rate counts in a second, its SI unit, and how it is called.
_RATES = {
    "matmul.float32": ("operations of float32 matrix products", "1/s"),
    "matmul.bfloat16": ("operations of bfloat16 matrix products", "1/s"),
    "matmul.int8": ("operations of int8 products, rounding included", "1/s"),
    "memory": ("bytes copied, read and written", "byte/s"),
    "weights": ("bytes of weights read by products of few tokens", "byte/s"),
    "elementwise": ("numbers through activations and norms", "1/s"),
    "optimizer": ("parameters updated by AdamW", "1/s"),
    "dispatch": ("calls of a small operator", "1/s"),
    "host": ("the same on one CPU core, beside the network", "1/s"),
}
# Methods whose own factor is shown beside the machine's, and what is too little to show.
TOLD_METHODS, LITTLE = 3, 0.05


@click.group()
def hardware() -> None:
    """Show, measure and list machines to plan for."""


@hardware.command("show", epilog="Example: effauto hardware show t4")
@click.argument("name", default="here")
@format_option
@click.pass_obj
def show_hardware(app: App | None, name: str, form: str) -> None:
    """Show a machine: this one, a profile, or one that a TOML or JSON file describes."""
    from effauto.hardware import machine

    _show(machine(name, app.plugins if app else None), form)


@hardware.command("calibrate")
@click.option("--threads", type=click.IntRange(min=1), help="Otherwise the fastest number.")
@click.option(
    "--from-results",
    is_flag=True,
    help="Measure nothing: show by what earlier trials here correct estimates.",
)
@database
@format_option
@click.pass_obj
def calibrate_hardware(
    app: App | None, threads: int | None, from_results: bool, db: str | None, form: str
) -> None:
    """Measure how fast this machine is, in seconds, and keep it for the next plans.

    What trials measured corrects the estimates of each plan, learnt anew from the results.
    """
    if from_results:
        _show_learned(_learned(app, db), form)
        return
    from effauto.hardware import calibrate

    _show(calibrate(threads), form)


def _learned(app: App | None, db: str | None) -> dict[str, dict[str, Correction]]:
    """By model and resource, what the trials on this machine teach."""
    from effauto.cost import learn_corrections
    from effauto.hardware import this_machine
    from effauto.planner.knowledge.experience import earlier, experience
    from effauto.store import open_store

    methods = app.plugins.methods() if app else {}
    versions = app.plugins.versions() if app else {}
    store = open_store(db, create=db is None)
    try:
        here = this_machine()
        pairs = experience(earlier(store, here, versions), methods, here)
    finally:
        store.close()
    return {model: learn_corrections(found) for model, found in sorted(pairs.items())}


def _show_learned(learned: dict[str, dict[str, Correction]], form: str) -> None:
    if form == "json":
        told = {m: {r: c.to_json() for r, c in found.items()} for m, found in learned.items()}
        print_json(told)
        return
    if not learned:
        click.echo("No trial was measured on this machine yet, so nothing is corrected.")
        return
    rows = [
        (model, resource, *_correction(found))
        for model, resources in learned.items()
        for resource, found in sorted(resources.items())
    ]
    print_table(("Model", "Resource", "Factor", "80 % range", "Pairs", "Methods"), rows)


def _correction(found: Correction) -> tuple[str, ...]:
    spread = f"×{math.exp(-found.below):.2f} … ×{math.exp(found.above):.2f}"
    telling = sorted(found.methods.items(), key=lambda item: -abs(item[1]))[:TOLD_METHODS]
    methods = [f"{name} ×{math.exp(own):.2f}" for name, own in telling if abs(own) > LITTLE]
    ranged = spread if found.pairs >= LEAST_PAIRS else "as foretold"
    return f"×{found.factor:.2f}", ranged, str(found.pairs), ", ".join(methods)


@hardware.command("list")
@format_option
@click.pass_obj
def list_hardware(app: App | None, form: str) -> None:
    """List this machine and the profiles of machines you need not have."""
    from effauto.hardware import this_machine
    from effauto.hardware.find import known_machines

    found = {"here": this_machine()} | known_machines(app.plugins if app else None)
    if form == "json":
        print_json([{"name": name} | _entry(machine) for name, machine in found.items()])
        return
    rows = [(name, *_row(machine)) for name, machine in found.items()]
    print_table(("Name", "Processor", "Cores", "Memory", "Operations/s", "Watts"), rows)


def _row(machine: Hardware) -> tuple[str, ...]:
    gpu = machine.accelerators[0] if machine.accelerators else None
    memory = gpu.memory_bytes if gpu else machine.memory_bytes
    speed = machine.rates["matmul.float32"].value
    return (
        machine.processor,
        str(machine.cores),
        show(memory, "byte"),
        show(speed, "1"),
        f"{machine.watts.value:.3g}",
    )


def _entry(machine: Hardware) -> dict[str, Any]:
    return {
        "origin": machine.origin,
        "processor": machine.processor,
        "device": machine.device,
        "cores": machine.cores,
        "memory_bytes": machine.memory_bytes,
        "calibrated": machine.calibrated,
    }


def _show(machine: Hardware, form: str) -> None:
    if form == "json":
        print_json(machine.to_json() | {"units": _units()})
        return
    click.echo(f"{machine.name}\n")
    print_table(("What", "This machine"), _facts(machine))
    click.echo()
    print_table(("A second", "Usual", "Range"), _rates(machine))
    click.echo()
    for what, source in machine.sources.items():
        click.echo(f"{what}: {source}")


def _facts(machine: Hardware) -> list[tuple[str, str]]:
    cards = [f"{card.name}, {show(card.memory_bytes, 'byte')}" for card in machine.accelerators]
    watts = machine.watts
    return [
        ("processor", machine.processor),
        ("GPU", "; ".join(cards) or "none"),
        ("cores, threads used", f"{machine.cores}, {machine.threads}"),
        ("memory", show(machine.memory_bytes, "byte")),
        ("instructions", " ".join(sorted(machine.flags)) or "not told"),
        ("power", f"{watts.value:.3g} W ({watts.low:.3g} to {watts.high:.3g})"),
        ("power counter", machine.power_counter or "none that can be read"),
        ("rates", "measured here" if machine.calibrated else "not measured"),
    ]


def _rates(machine: Hardware) -> list[tuple[str, str, str]]:
    rows = []
    for name, rate in machine.rates.items():
        meaning, unit = _RATES.get(name, (name, "1/s"))
        rows.append((meaning, _per_second(rate.value, unit), _range(rate, unit)))
    return rows


def _range(rate: Rate, unit: str) -> str:
    return f"{_per_second(rate.low, unit)} to {_per_second(rate.high, unit)}"


def _per_second(value: float, unit: str) -> str:
    return show(value, "byte" if unit.startswith("byte") else "1")


def _units() -> dict[str, str]:
    rates = {f"rates.{name}": unit for name, (_, unit) in _RATES.items()}
    return {"memory_bytes": "byte", "watts": "watt"} | rates
