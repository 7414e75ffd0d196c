"""The demo's rows as they were read last: parsing thousands of source files takes a second."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from effauto.hardware.cache import cache_folder

# A text and the library that it comes from.
Row = tuple[str, str]
_log = logging.getLogger(__name__)


def remembered(
    versions: Mapping[str, str], reader: Path, read: Callable[[], list[Row]]
) -> list[Row]:
    """The rows kept for these versions, as this source file ``reader`` reads them, or new ones."""
    telling = json.dumps(sorted(versions.items())).encode() + reader.read_bytes()
    path = cache_folder() / "demo" / f"{hashlib.sha256(telling).hexdigest()[:16]}.json"
    kept = _kept(path)
    if kept is None:
        kept = read()
        _keep(path, kept)
    return kept


def _kept(path: Path) -> list[Row] | None:
    try:
        return [(str(text), str(library)) for text, library in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        _log.warning("reading the demo's sources anew: %s is damaged: %s", path, error)
        return None


def _keep(path: Path, rows: list[Row]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(rows), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        _log.warning("the demo's rows cannot be kept in %s: %s", path, error.strerror)
