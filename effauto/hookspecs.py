"""The hooks that effauto calls and plugins answer. They offer things and do no work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from effauto.listener import Listener
    from effauto.machine import Hardware
    from effauto.method import Method

hookspec = pluggy.HookspecMarker("effauto")
hookimpl = pluggy.HookimplMarker("effauto")


@hookspec
def register_methods() -> Iterable[Method]:
    """Offer methods to the planner.

    Called once, after all plugins are loaded. Names are unique: of two methods with one name the
    later is refused; bundled plugins come first, then installed ones, then local folders.
    """
    return ()


@hookspec
def register_hardware() -> Iterable[Hardware]:
    """Offer profiles of machines to plan for, whose ``origin`` is ``"profile"``."""
    return ()


@hookspec
def register_listeners() -> Iterable[Listener]:
    """Offer who may be told of searches and runs, such as a tracker of experiments.

    Users name the ones they want: ``effauto plan --tell NAME``. Offering does no work.
    """
    return ()


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to ``effauto``, with ``@cli.command()``.

    Called before the command line is parsed, so it must not do any work of its own. A name that
    is taken is refused.
    """
