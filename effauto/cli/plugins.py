"""``effauto plugins``: what is installed, whether it keeps the contract, how to begin one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.app import App
from effauto.cli.output import format_option, print_json, print_table
from effauto.errors import InputError
from effauto.plugins import Candidate, find_all, find_in_folder
from effauto.plugins.find import folders_from_environment

if TYPE_CHECKING:
    from effauto.checks.examine import Examination


@click.group()
def plugins() -> None:
    """List, check and create plugins."""


@plugins.command("list")
@format_option
@click.pass_obj
def list_plugins(app: App, form: str) -> None:
    """List the plugins found, what they offer, and which are broken.

    A broken plugin is left out, and everything else works on.
    """
    found = list(_listed(app))
    if form == "json":
        print_json(found)
        return
    rows = [
        (p["status"], p["plugin"], p["origin"], p["reason"] or ", ".join(p["methods"]))
        for p in found
    ]
    print_table(("Status", "Plugin", "From", "Methods"), rows)


def _listed(app: App) -> Iterator[dict[str, Any]]:
    loaded = app.plugins
    methods = {name: loaded.plugin_of(name) for name in loaded.methods()}
    loaded.hardware()  # asked for what it brings to light: a plugin may fail in this hook only
    for name, origin in loaded.origins.items():
        offered = [method for method, plugin in methods.items() if plugin == name]
        yield _entry("ok", name, origin, offered)
    for broken in loaded.broken:
        yield _entry("broken", broken.name, broken.origin, [], broken.reason)


def _entry(
    status: str, plugin: str, origin: str, methods: list[str], reason: str = ""
) -> dict[str, Any]:
    return {
        "status": status,
        "plugin": plugin,
        "origin": origin,
        "methods": methods,
        "reason": reason,
    }


@plugins.command("check", epilog="Exit code 1 if any check fails.")
@click.argument("which", metavar="[NAME|PATH]...", nargs=-1)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one plugin may take; then its process is ended.",
)
@format_option
@click.pass_obj
def check_plugins(app: App, which: tuple[str, ...], timeout: float, form: str) -> None:
    """Check plugins, by name or by path (default: all), against the contract.

    Each is imported and exercised in a process of its own: one that hangs, crashes or exits is
    reported, and does no harm.
    """
    from effauto.checks.examine import examine

    examined = []
    for candidate in _chosen(which, find_all([*folders_from_environment(), *app.folders])):
        click.echo(f"checking {candidate.name} …", err=True)
        examined.append(examine(candidate, timeout))
        if form == "table":
            _show(examined[-1])
    if form == "json":
        print_json([asdict(examination) for examination in examined])
    if not all(examination.passed for examination in examined):
        raise click.exceptions.Exit(1)


def _chosen(which: tuple[str, ...], found: list[Candidate]) -> list[Candidate]:
    """The plugins that are named; a path stands for those in it."""
    chosen: list[Candidate] = []
    for name in which:
        named = [c for c in found if c.name.replace("-", "_") == name.replace("-", "_")]
        if not named and not Path(name).exists():
            known = ", ".join(candidate.name for candidate in found) or "none"
            raise InputError(f"{name!r} is neither a path nor one of the plugins found: {known}")
        chosen += named or find_in_folder(Path(name))
    return chosen if which else found


def _show(examination: Examination) -> None:
    good = examination.passed
    click.echo(f"{'ok    ' if good else 'broken'}  {examination.plugin}  ({examination.origin})")
    if good:
        methods = ", ".join(examination.methods) or "no methods"
        click.echo(f"        {methods}: {examination.checks} checks passed")
    for failure in examination.failures:
        click.echo(f"        {failure}")


@plugins.command("new", epilog="Example: effauto plugins new keep-hardest --output ~/src")
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to put the new folder in; the current one by default.",
)
@click.pass_obj
def new_plugin(app: App, name: str, output: Path) -> None:
    """Begin a distribution with a method called NAME that works from the start.

    It has the code, a card, a pyproject.toml that makes effauto find it once it is installed, and
    a test that runs every check of the contract.
    """
    from effauto.cli.scaffold import write

    folder = write(name, output, taken=app.plugins.methods())
    click.echo(f"{folder}")
    click.echo(f"Next: pip install -e {folder} && pytest {folder}", err=True)
