"""Calibrations that were made on this machine, one small file each in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from effauto.machine import Hardware, Rate

SCHEMA = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """Rates that were measured, with how many threads, by which torch, on which day."""

    rates: Mapping[str, Rate]
    threads: int
    torch: str
    date: str
    notes: Mapping[str, str] = field(default_factory=dict)


def cache_folder() -> Path:
    """Where effauto keeps what it can make again; ``EFFAUTO_CACHE_DIR`` overrides."""
    chosen = os.environ.get("EFFAUTO_CACHE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("effauto"))


def path_for(hardware: Hardware) -> Path:
    """The file of a machine, named after what its rates depend on, torch's version included."""
    telling = [
        hardware.processor,
        sorted(hardware.flags),
        hardware.cores,
        [card.name for card in hardware.accelerators],
        _torch_version(),
        SCHEMA,
    ]
    key = hashlib.sha256(json.dumps(telling).encode()).hexdigest()[:16]
    return cache_folder() / "hardware" / f"{key}.json"


def read(hardware: Hardware) -> Calibration | None:
    """The machine's last calibration; None if there is none or its file is damaged."""
    path = path_for(hardware)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(data)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("ignoring the damaged calibration %s: %s", path, error)
        return None


def write(hardware: Hardware, found: Calibration) -> None:
    """Keep a calibration; where that cannot be done it is only logged."""
    path = path_for(hardware)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        _log.warning("the calibration cannot be kept in %s: %s", path, error.strerror)


def _from_json(data: Mapping[str, object]) -> Calibration:
    rates, notes, threads = data["rates"], data.get("notes", {}), data["threads"]
    if not isinstance(rates, dict) or not isinstance(notes, dict) or not isinstance(threads, int):
        raise ValueError("not a calibration")
    return Calibration(
        rates={str(name): Rate(**rate) for name, rate in rates.items()},
        threads=max(1, threads),
        torch=str(data["torch"]),
        date=str(data["date"]),
        notes={str(key): str(note) for key, note in notes.items()},
    )


def _torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""
