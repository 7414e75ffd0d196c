"""The top of the command line: finds commands when they are named, and shows errors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from effauto.cli.app import App
from effauto.errors import EffautoError, Interrupted

# In the order of the help; each is the command of that name in effauto/cli/<name>.py.
BUILTIN = (
    "init",
    "plan",
    "estimate",
    "run",
    "explain",
    "report",
    "serve",
    "ui",
    "results",
    "methods",
    "plugins",
    "hardware",
)


class MainGroup(click.Group):
    """Imports a command's module, and the plugins, only when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*filter(_is_there, BUILTIN), *sorted(_app(ctx).commands)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in BUILTIN and _is_there(name):
            command: click.Command = getattr(import_module(f"effauto.cli.{name}"), name)
            return command
        return _app(ctx).commands.get(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a name that there is not is told with those that are like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), 2)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"{error.message}{meant}", error.ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        _app(ctx)  # from here on every command has it
        return super().invoke(ctx)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        run = partial(super().main, *args, standalone_mode=False, **extra)
        return sys.exit(_exit_code(run)) if standalone_mode else run()


def _is_there(name: str) -> bool:
    return find_spec(f"effauto.cli.{name}") is not None


def _app(ctx: click.Context) -> App:
    if not isinstance(ctx.obj, App):
        ctx.obj = App(ctx.params.get("plugins_dir") or (), BUILTIN)
    return ctx.obj


def _exit_code(run: Callable[[], object]) -> int:
    """Run a command; what it returns, or what it raised, as an exit code.

    An error that effauto raised on purpose is shown as a sentence; any other is a bug and leaves
    its traceback.
    """
    try:
        code = run()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return Interrupted.exit_code
    except EffautoError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_code
    return code if type(code) is int else 0
