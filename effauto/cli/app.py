"""What every command is given: the plugins, loaded when they are first asked for."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import click

from effauto.errors import NameTaken
from effauto.plugins import Plugins, load_plugins


class App:
    """The state of one run of the command line; a command gets it by ``@click.pass_obj``."""

    def __init__(self, folders: tuple[Path, ...] = (), builtin: Collection[str] = ()) -> None:
        self.folders = folders
        self._builtin = builtin

    @property
    def plugins(self) -> Plugins:
        return self._loaded[0]

    @property
    def commands(self) -> dict[str, click.Command]:
        """The commands that plugins add, by name."""
        return self._loaded[1]

    @cached_property
    def _loaded(self) -> tuple[Plugins, dict[str, click.Command]]:
        plugins = load_plugins(self.folders)
        commands: dict[str, click.Command] = {}
        for plugin in list(plugins.origins):
            offered = Offered({*self._builtin, *commands})
            plugins.call(plugin, "register_commands", cli=offered)
            if plugin in plugins.origins:  # one that failed half way adds nothing
                commands |= offered.commands
        return plugins, commands


class Offered(click.Group):
    """What a plugin is given to put its commands in: it refuses a name that is taken."""

    def __init__(self, taken: Collection[str]) -> None:
        super().__init__("effauto")
        self._taken = taken

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        name = name or cmd.name
        if name in self._taken or name in self.commands:  # click would replace it in silence
            raise NameTaken(f"there is already a command named {name!r}")
        super().add_command(cmd, name)
