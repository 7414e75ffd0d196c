"""The machine that a user names: here, a profile, or a file that describes one."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from effauto.errors import HardwareError
from effauto.hardware.datasheets import profiles, read_table
from effauto.hardware.detect import HERE, this_machine
from effauto.machine import Hardware


class OffersHardware(Protocol):
    """What is needed of the loaded plugins."""

    def hardware(self) -> Mapping[str, Hardware]: ...


def machine(name_or_file: str = HERE, plugins: OffersHardware | None = None) -> Hardware:
    """Return ``here``, a profile of effauto or of a plugin, or the machine that a file describes.

    A file is TOML or JSON: a table as in ``profiles.toml``, or what ``hardware show --format json``
    prints. Raises HardwareError, listing the names, if there is no such machine.
    """
    known = known_machines(plugins)
    if name_or_file == HERE:
        return this_machine()
    if name_or_file in known:
        return known[name_or_file]
    path = Path(name_or_file)
    if path.suffix in (".toml", ".json") or path.is_file():
        return read_machine(path)
    raise HardwareError(
        f"there is no machine {name_or_file!r}; known: {HERE}, {', '.join(known)}, "
        "or a TOML or JSON file"
    )


def known_machines(plugins: OffersHardware | None = None) -> dict[str, Hardware]:
    """Profiles by name; those of effauto come first, and a plugin cannot replace them."""
    offered = dict(plugins.hardware()) if plugins else {}
    return offered | dict(profiles())


def read_machine(path: Path) -> Hardware:
    """Read a machine from a file; raise HardwareError if that cannot be done."""
    data = _read(path)
    if "rates" not in data:
        return read_table(path.stem, data)
    try:
        return Hardware.from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise HardwareError(f"{path} describes no whole machine: {error}") from None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise HardwareError(f"there is no file {path} that describes a machine") from None
    except OSError as error:
        raise HardwareError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        form = "JSON" if path.suffix == ".json" else "TOML"
        raise HardwareError(f"{path} is no {form}: {error}") from None
    if not isinstance(data, dict):
        raise HardwareError(f"{path} holds no table that describes a machine")
    return data
