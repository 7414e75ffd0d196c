"""Where plugins come from: what is bundled, what is installed, and local folders."""

from __future__ import annotations

import os
import pkgutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata, util
from pathlib import Path
from types import ModuleType

import effauto
from effauto import bundled
from effauto.errors import InputError, PluginError


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and not yet imported.

    ``version`` is its distribution's; ``path`` is set, and ``version`` empty, for a local one.
    """

    name: str
    origin: str
    version: str
    load: Callable[[], object]
    path: Path | None = None


def find_all(folders: Iterable[Path] = ()) -> list[Candidate]:
    """Bundled, then installed, then local plugins: of two with one name the earlier wins."""
    local = (candidate for folder in folders for candidate in find_in_folder(folder))
    return [*find_bundled(), *find_installed(), *local]


def find_bundled() -> Iterator[Candidate]:
    for module in sorted(pkgutil.iter_modules(bundled.__path__), key=lambda found: found.name):
        path = f"{bundled.__name__}.{module.name}"
        yield Candidate(module.name, "bundled", effauto.__version__, partial(import_module, path))


def find_installed() -> Iterator[Candidate]:
    for entry in sorted(metadata.entry_points(group="effauto")):
        name, version = ("?", "?") if entry.dist is None else (entry.dist.name, entry.dist.version)
        yield Candidate(entry.name, f"{name} {version}", version, entry.load)


def find_in_folder(path: Path) -> Iterator[Candidate]:
    """The plugins in a folder, or the one plugin that ``path`` itself is.

    Raises InputError if there is nothing to read at ``path``.
    """
    try:
        places = [path] if _is_plugin(path) else sorted(filter(_is_plugin, path.iterdir()))
    except OSError as error:
        raise InputError(
            f"cannot look for plugins in {path}: {error.strerror or error};"
            " name a folder that holds them (--plugins-dir, EFFAUTO_PLUGINS_DIR)"
        ) from error
    for place in places:
        yield Candidate(place.stem, str(place), "", partial(import_path, place), place)


def _is_plugin(path: Path) -> bool:
    if path.name.startswith(("_", ".")):
        return False
    return (path.suffix == ".py" and path.is_file()) or (path / "__init__.py").is_file()


def folders_from_environment() -> list[Path]:
    """The folders that ``EFFAUTO_PLUGINS_DIR`` names, separated as in ``PATH``."""
    named = os.environ.get("EFFAUTO_PLUGINS_DIR", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in named if folder.strip()]


def import_path(path: Path) -> ModuleType:
    """Import a file or a package that is on no import path, under a name of its own."""
    path = path.resolve()
    # Two folders may hold plugins of one name: the path tells them and their submodules apart.
    name = f"effauto_local_{zlib.crc32(str(path).encode()):08x}_{path.stem}"
    source, inner = (path / "__init__.py", [str(path)]) if path.is_dir() else (path, None)
    spec = util.spec_from_file_location(name, source, submodule_search_locations=inner)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python module")
    module = util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: relative imports and dataclasses look it up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
