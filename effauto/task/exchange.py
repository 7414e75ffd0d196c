"""One split as a file of effauto's own, so that a worker gets the rows it needs and no others."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from effauto.errors import DataError, OutputError
from effauto.task.examples import Examples, Target
from effauto.traits import TaskKind

VERSION = 1


def write_split(examples: Examples, classes: Sequence[str], path: Path) -> None:
    """Write a header line and one JSON line a row; an old file stays whole if that fails.

    Raises OutputError if the file cannot be written.
    """
    header = {"effauto_split": VERSION, "kind": examples.kind, "classes": list(classes)}
    rows = zip(examples.inputs, examples.targets, strict=True)
    lines = [json.dumps({"fields": fields, "target": target}) for fields, target in rows]
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_text("\n".join([json.dumps({**header, "rows": len(lines)}), *lines, ""]))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def read_split(path: Path) -> tuple[Examples, tuple[str, ...]]:
    """Return the examples and the classes; raise DataError if this is no whole split file."""
    try:
        header, *rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if header["effauto_split"] != VERSION or header["rows"] != len(rows):
            raise ValueError("another version, or rows are missing")
        if header["kind"] not in get_args(TaskKind):
            raise ValueError(f"no such kind: {header['kind']!r}")
        inputs = tuple(tuple(map(str, row["fields"])) for row in rows)
        targets = tuple(_target(row["target"]) for row in rows)
        return Examples(header["kind"], inputs, targets), tuple(map(str, header["classes"]))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{path} is no split written by effauto: {error}") from error


def _target(value: Any) -> Target:
    return tuple(map(int, value)) if isinstance(value, list) else int(value)
