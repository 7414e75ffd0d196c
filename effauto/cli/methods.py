"""``effauto methods``: what there is to combine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.app import App
from effauto.cli.options import database
from effauto.cli.output import format_option, print_json, print_table
from effauto.errors import InputError
from effauto.machine import Hardware
from effauto.method import STAGES, Method, no_such_method
from effauto.plugins import Plugins

if TYPE_CHECKING:
    from effauto.store.effects import Together


@click.group()
def methods() -> None:
    """List the efficiency methods and show one closely."""


@methods.command("list")
@format_option
@click.pass_obj
def list_methods(app: App, form: str) -> None:
    """List every method in the order of its stage, and say which cannot run on this machine."""
    from effauto.hardware import this_machine

    here = this_machine()
    found = sorted(app.plugins.methods().values(), key=lambda m: (STAGES.index(m.stage), m.name))
    if form == "json":
        print_json([_entry(method, app.plugins, here) for method in found])
        return
    print_table(("Method", "Stage", "Slot", "What it does"), [_row(m, here) for m in found])


def _row(method: Method, here: Hardware) -> tuple[str, ...]:
    verdict = method.needs.met(here)
    what = method.summary if verdict else f"{method.summary}\nnot here: it {verdict.reason}"
    return method.name, method.stage, method.slot or "", what


def _entry(method: Method, plugins: Plugins, here: Hardware) -> dict[str, Any]:
    verdict = method.needs.met(here)
    return {
        "method": method.name,
        "version": method.version,
        "origin": plugins.origin_of(method.name),
        "stage": method.stage,
        "slot": method.slot,
        "summary": method.summary,
        "runs_here": bool(verdict),
        "reason": verdict.reason,
    }


@methods.command("show", epilog="Example: effauto methods show NAME --format json")
@click.argument("name")
@format_option
@click.pass_obj
def show_method(app: App, name: str, form: str) -> None:
    """Show what a method declares, its knobs, what was published of it, and its card."""
    from effauto.cli.method_card import as_json, show

    method = _named(name, app.plugins.methods())
    origin = app.plugins.origin_of(name)
    if form == "json":
        print_json(as_json(method, origin))
    else:
        show(method, origin)


@methods.command("matrix", epilog="Example: effauto methods matrix --format json")
@click.option("--model", default="minilm", show_default=True, help="The model they act on.")
@database
@format_option
@click.pass_obj
def show_all(app: App, model: str, db: str | None, form: str) -> None:
    """Show what each method, alone at its defaults, is foretold to save and to cost.

    Each figure is relative to the plain fine-tuning of the model on two thousand short texts, on
    this machine; an empty cell means no change. Whether quality suffers is for trials to tell: see
    'effauto results list --method NAME'. Below stand pairs of methods that trials measured
    together and each alone, on the same rows and machine, with the same seeds.
    """
    from effauto.cli.matrix import show_matrix
    from effauto.hardware import machine

    here = machine("here", app.plugins)
    together = _measured_together(db, model, app.plugins.versions())
    show_matrix(app.plugins.methods(), model, here, form, together)


def _measured_together(db: str | None, model: str, versions: Mapping[str, str]) -> list[Together]:
    from effauto.store import open_store
    from effauto.store.effects import effects, together
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    store = open_store(db)
    wanted = Filter(model=model, purpose="run", state="finished", versions=versions)
    records = [record for record in trials(store, wanted) if record.fidelity >= 1]
    store.close()
    return sorted(together(effects(records)), key=lambda pair: str(pair.both.recipe))


def _named(name: str, known: dict[str, Method]) -> Method:
    if name not in known:
        raise InputError(no_such_method(name, known))
    return known[name]
