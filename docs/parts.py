"""The parts of the documentation that are made from the code, each as Markdown."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import measured
import reference

from effauto import Method, hookspecs
from effauto.cli import main
from effauto.cli.app import App
from effauto.cli.group import BUILTIN
from effauto.method import STAGES
from effauto.model import MINILM, find_model
from effauto.plugins import Plugins
from effauto.plugins.find import find_bundled
from effauto.resources import RESOURCES

ROOT = Path(__file__).resolve().parents[1]
HELP_WIDTH = 88
DEMO = (
    "effauto plan --search-time 60s --output out/plan.json",
    "effauto run out/plan.json --output out/model",
    f"python {ROOT / 'docs' / 'demo.py'}",
)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '∣') for cell in line)} |" for line in lines)


@cache
def _bundled() -> Plugins:
    """The plugins of this checkout alone, whatever else is installed here."""
    return Plugins(find_bundled(), strict=True)


def _methods() -> list[Method]:
    found = _bundled().methods().values()
    return sorted(found, key=lambda method: (STAGES.index(method.stage), method.name))


def methods() -> str:
    """The methods in a line each, for the README."""
    rows = ((_card(method, "plugins"), method.stage, method.summary) for method in _methods())
    return table(("Method", "Stage", "What it does"), rows)


def methods_measured() -> str:
    return measured.overview(_methods())


def methods_in_full() -> str:
    rows = (
        (
            _card(method, "../plugins"),
            method.stage,
            method.slot or "",
            method.summary,
            ", ".join(method.needs.named),
        )
        for method in _methods()
    )
    return table(("Method", "Stage", "Slot", "What it does", "Needs"), rows)


@cache
def cards() -> Mapping[Path, Method]:
    """Each bundled method's card."""
    return {ROOT / _folder(method) / "README.md": method for method in _methods()}


def _folder(method: Method) -> str:
    return f"plugins/{_bundled().plugin_of(method.name)}"


def _card(method: Method, folder: str) -> str:
    return f"[{method.name}]({folder}/{_bundled().plugin_of(method.name)}/README.md)"


def facts() -> str:
    """Each fact that methods speak of: who brings it about, ends it, needs it, cannot bear it."""
    kinds = ("provides", "removes", "requires", "forbids")
    start = find_model(MINILM).traits.facts
    named = {fact for method in _methods() for kind in kinds for fact in getattr(method, kind)}
    rows = (
        (
            f"`{fact}`",
            "yes" if fact in start else "",
            *(", ".join(m.name for m in _methods() if fact in getattr(m, kind)) for kind in kinds),
        )
        for fact in sorted(named | start)
    )
    return table(("Fact", "Holds of minilm", *(kind.capitalize() for kind in kinds)), rows)


def resources() -> str:
    rows = (
        (
            f"`{resource.name}{'>=' if resource.higher_is_better else '<='}`",
            resource.meaning,
            resource.examples,
            "the currency" if resource.unit == "money" else resource.unit,
        )
        for resource in RESOURCES.values()
    )
    return table(("Limit", "On what", "Such as", "Unit in JSON"), rows)


def hooks() -> str:
    """Each hook with its docstring."""
    found = (hook for name, hook in vars(hookspecs).items() if name.startswith("register_"))
    return "\n\n".join(
        f"### `{hook.__name__}({', '.join(inspect.signature(hook).parameters)})`\n\n"
        f"{inspect.getdoc(hook)}"
        for hook in found
    )


def extras() -> str:
    offered = _project()["project"]["optional-dependencies"]
    rows = (
        (f"`effauto[{name}]`", ", ".join(f"`{package}`" for package in packages))
        for name, packages in offered.items()
        if name not in ("all", "dev")
    )
    return table(("Extra", "Installs"), rows)


def layers() -> str:
    """The layers as import-linter is told of them, the highest first."""
    contracts = _project()["tool"]["importlinter"]["contracts"]
    found = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    return "```text\n" + "\n".join(layer.replace("effauto.", "") for layer in found) + "\n```"


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def cli() -> str:
    """What each command says of itself."""
    names = main.context_settings["help_option_names"]
    with click.Context(main, info_name="effauto", obj=App(), help_option_names=names) as top:
        parts = [_help(main, top)]
        for name in BUILTIN:
            command = main.get_command(top, name)
            parts += _helps(command, name, top) if command else ()
    return "\n\n".join(parts)


def _helps(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as ctx:
        yield _help(command, ctx)
        for inner in command.list_commands(ctx) if isinstance(command, click.Group) else ():
            yield from _helps(command.get_command(ctx, inner), inner, ctx)  # type: ignore[union-attr, arg-type]


def _help(command: click.Command, ctx: click.Context) -> str:
    ctx.terminal_width = ctx.max_content_width = HELP_WIDTH
    return f"## {ctx.command_path}\n\n```text\n{command.get_help(ctx)}\n```"


def demo() -> str:
    """Run the demo in a new folder with an empty database, and show what it prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shown = "\n".join(_shown(command, folder) for command in DEMO)
    return f"```console\n{shown}\n```"


def _shown(command: str, folder: Path) -> str:
    environment = os.environ | {"EFFAUTO_DB": str(folder / "results.db"), "COLUMNS": "88"}
    program, *arguments = shlex.split(command)
    start = [sys.executable, *(["-m", "effauto"] if program == "effauto" else [])]
    run = subprocess.run(
        [*start, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True
    )
    printed = run.stdout.decode().replace(f"{folder.resolve()}/", "").rstrip()
    lines = "\n".join(line.rstrip() for line in printed.split("\n"))
    return f"$ {command.replace(f'{ROOT}/', '')}\n{lines}"


def results() -> str:
    """Quality on the test splits, of what was chosen and of its rivals, from the measured files."""
    measured = ROOT / "benchmarks" / "measured"
    rivals = ("chosen", "bag-of-words", "frozen-features", "full-fine-tuning")
    rows = []
    for path in sorted(measured.glob("*.chosen.json")):
        task = path.name.partition(".")[0]
        chosen = json.loads(path.read_text(encoding="utf-8"))
        steps = " + ".join(step["method"] for step in chosen["recipe"]) or "untouched"
        files = [measured / f"{task}.{rival}.json" for rival in rivals]
        rows.append((task, f"{chosen['model']}: {steps}", *map(_quality, files)))
    return table(
        ("Task", "Chosen in four minutes", "", *(r.replace("-", " ") for r in rivals[1:])), rows
    )


def _quality(path: Path) -> str:
    if not path.exists():
        return "–"
    figures = json.loads(path.read_text(encoding="utf-8"))["measurement"]
    return next(f"{f['value']:.3f}" for name, f in figures.items() if name.startswith("quality."))


def _benchmark(module: str, function: str, *arguments: str) -> Callable[[], str]:
    """What a script in benchmarks/ makes of its measured results."""

    def part() -> str:
        place = str(ROOT / "benchmarks")
        sys.path.insert(0, place)
        try:
            return str(getattr(import_module(module), function)(*arguments))
        finally:
            sys.path.remove(place)

    return part


PARTS: Mapping[str, Callable[[], str]] = {
    "cli": cli,
    "extras": extras,
    "facts": facts,
    "foreign": _benchmark("foreign", "tables"),
    "from-scratch-plans": _benchmark("from_scratch_plans", "table"),
    "hooks": hooks,
    "layers": layers,
    "instant": _benchmark("planner", "instant_table"),
    "methods": methods,
    "methods-in-full": methods_in_full,
    "methods-measured": methods_measured,
    "overhead": _benchmark("overhead", "table"),
    "real": _benchmark("planner", "table_of", "real"),
    "replayed": _benchmark("planner", "table_of", "replayed"),
    "python-for-plugins": reference.for_plugins,
    "python-for-users": reference.for_users,
    "resources": resources,
    "results": results,
    "schema": reference.schema,
    "serving": _benchmark("serving", "table"),
}
