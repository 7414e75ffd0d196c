"""The plugins of one process: each is imported, registered and called on its own."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pluggy

from effauto import hookspecs
from effauto.errors import InputError, NameTaken, PluginError
from effauto.listener import Listener
from effauto.machine import Hardware
from effauto.method import Method, installed
from effauto.plugins.failure import AnyFailure, Broken
from effauto.plugins.find import Candidate, find_all, folders_from_environment

log = logging.getLogger(__name__)

Offer = TypeVar("Offer", Method, Hardware, Listener)


class Plugins:
    """A plugin manager that survives its plugins' mistakes: who fails is off, and is listed.

    ``origins`` says of each working plugin where it is from, ``broken`` which do not work and
    why, ``folders`` where local ones were looked for (a worker process needs them, since what a
    local plugin made does not unpickle elsewhere).
    """

    def __init__(
        self,
        candidates: Iterable[Candidate] = (),
        *,
        folders: Iterable[Path] = (),
        strict: bool = False,
    ) -> None:
        self.folders = tuple(folders)
        self.origins: dict[str, str] = {}
        self.broken: list[Broken] = []
        self._strict = strict
        self._versions: dict[str, str] = {}
        self._offered_by: dict[str, str] = {}
        self._manager = pluggy.PluginManager("effauto")
        self._manager.add_hookspecs(hookspecs)
        for candidate in candidates:
            self.add(candidate)

    def add(self, candidate: Candidate) -> None:
        """Import and register one plugin; of one that fails only a note remains."""
        name = candidate.name
        try:
            if name in self.origins:
                raise NameTaken(f"{name!r} is already the plugin from {self.origins[name]}")
            self._register(candidate)
        except AnyFailure as error:
            self._note(Broken(name, candidate.origin, error))
        else:
            self.origins[name] = candidate.origin
            self._versions[name] = candidate.version

    def _register(self, candidate: Candidate) -> None:
        plugin = candidate.load()
        try:
            self._manager.register(plugin, candidate.name)
            self._manager.check_pending()
            if not self._manager.get_hookcallers(plugin):
                raise PluginError(_why_it_offers_nothing(plugin))
        except AnyFailure:
            self._manager.unregister(name=candidate.name)  # register() can fail half way
            raise

    def call(self, plugin: str, hook: str, **arguments: object) -> list[object]:
        """What one plugin answers to ``hook``; if it fails it is dropped, and answers nothing."""
        answers: list[object] = []
        try:
            for impl in getattr(self._manager.hook, hook).get_hookimpls():
                if impl.plugin_name == plugin:
                    answer = impl.function(*(arguments[name] for name in impl.argnames))
                    answers += answer or ()  # a generator does its work, and fails, here
        except AnyFailure as error:
            self._drop(plugin, error)
            return []
        return answers

    def methods(self) -> dict[str, Method]:
        """Every method on offer, by name; none of a plugin that has failed since."""
        found, owners = self._methods, self._offered_by
        return {name: found[name] for name in found if owners[name] in self.origins}

    def versions(self) -> dict[str, str]:
        """The version of each method; what another version did tells nothing of what it does."""
        return {method.name: method.version for method in self.methods().values()}

    def hardware(self) -> dict[str, Hardware]:
        """Every machine profile on offer, by name."""
        return dict(self._hardware)

    def listeners(self, names: Iterable[str]) -> list[Listener]:
        """Those of these names; raises InputError if one is unknown, or lacks what it needs."""
        found = self._listeners
        for name in names:
            if name not in found:
                raise InputError(f"nobody is called {name!r}; known: {', '.join(sorted(found))}")
            if not (verdict := installed(found[name].packages)):
                raise InputError(f"{name} cannot be told: it {verdict.reason}")
        return [found[name] for name in dict.fromkeys(names)]

    @cached_property
    def _methods(self) -> dict[str, Method]:
        return self._collect("register_methods", Method, self._offered_by)

    @cached_property
    def _hardware(self) -> dict[str, Hardware]:
        return self._collect("register_hardware", Hardware, {})

    @cached_property
    def _listeners(self) -> dict[str, Listener]:
        return self._collect("register_listeners", Listener, {})

    def plugin_of(self, method: str) -> str:
        """The name of the plugin that offers ``method``, one of :meth:`methods`."""
        return self._offered_by[self._methods[method].name]

    def origin_of(self, method: str) -> str:
        """Where ``method`` is from: ``bundled``, a distribution with its version, or a path."""
        return self.origins[self.plugin_of(method)]

    def distribution_version(self, method: str) -> str:
        """The version of the distribution that ``method`` came in; empty for a local folder's."""
        return self._versions[self.plugin_of(method)]

    def _collect(self, hook: str, kind: type[Offer], owners: dict[str, str]) -> dict[str, Offer]:
        found: dict[str, Offer] = {}
        for plugin in list(self.origins):
            try:
                offered = _by_name(self.call(plugin, hook), kind, found)
            except PluginError as error:
                self._drop(plugin, error)
            else:
                found |= offered
                owners |= dict.fromkeys(offered, plugin)
        return found

    def _drop(self, name: str, error: BaseException) -> None:
        self._manager.unregister(name=name)
        self._note(Broken(name, self.origins.pop(name), error))

    def _note(self, broken: Broken) -> None:
        if self._strict:
            raise broken.error
        self.broken.append(broken)
        log.warning("plugin %s (%s) is off: %s", broken.name, broken.origin, broken.reason)


def load_plugins(folders: Iterable[Path] = ()) -> Plugins:
    """Load bundled, installed and local plugins; the earlier one wins a name.

    To ``folders`` those of ``EFFAUTO_PLUGINS_DIR`` are added. ``EFFAUTO_BLOCK_PLUGINS`` names
    plugins to leave out, separated by commas; with ``EFFAUTO_STRICT_PLUGINS`` a broken one raises.
    Raises InputError if a folder cannot be read.
    """
    every = dict.fromkeys(folder.resolve() for folder in [*folders_from_environment(), *folders])
    blocked = os.environ.get("EFFAUTO_BLOCK_PLUGINS", "").split(",")
    return Plugins(
        (candidate for candidate in find_all(every) if candidate.name not in blocked),
        folders=every,
        strict=bool(os.environ.get("EFFAUTO_STRICT_PLUGINS")),
    )


def _by_name(
    offered: Iterable[object], kind: type[Offer], taken: Mapping[str, Offer]
) -> dict[str, Offer]:
    found: dict[str, Offer] = {}
    for item in offered:
        if not isinstance(item, kind):
            raise PluginError(f"it offers a {type(item).__name__}, which is no {kind.__name__}")
        if item.name in taken or item.name in found:
            raise NameTaken(f"there is already a {kind.__name__.lower()} named {item.name!r}")
        found[item.name] = item
    return found


def _why_it_offers_nothing(plugin: object) -> str:
    for hook in vars(hookspecs):
        if hook.startswith("register_") and inspect.isroutine(getattr(plugin, hook, None)):
            return f"{hook} lacks @hookimpl in front, so effauto does not call it"
    return "it implements none of effauto's hooks"
