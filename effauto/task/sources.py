"""Where a task's rows come from: a file, a folder with a file for each split, or the hub."""

from __future__ import annotations

from pathlib import Path

from effauto.errors import DataError
from effauto.task import hub
from effauto.task.readers import Table, is_data, read_table


def find_tables(source: str | Path) -> tuple[str, dict[str, Table], list[str]]:
    """Return a name for the task, a table for each split that is there, and notes.

    A file is train alone. What is no path here is looked for on the hub, unless it looks like one.
    Raises DataError if nothing is found, or no training rows.
    """
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            return path.resolve().name, _folder(path), []
        if path.exists():
            return _stem(path), {"train": read_table(path)}, []
    except (OSError, RuntimeError) as error:  # a name that is too long, an unknown user
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{str(source)[:80]!r} cannot be opened: {reason}") from None
    if isinstance(source, Path) or is_data(path) or str(source).startswith((".", "/", "~")):
        raise DataError(f"there is no file or folder {str(source)!r}")
    tables, notes = hub.fetch(str(source))
    if "train" not in tables:
        raise DataError(f"the data set {source!r} has no split 'train' with labels")
    return str(source).rpartition("/")[2].replace(":", "-"), tables, notes


def _folder(folder: Path) -> dict[str, Table]:
    try:
        files = sorted(path for path in folder.iterdir() if is_data(path))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from None
    tables = {}
    for split, names in hub.SPLIT_NAMES.items():
        found = [path for path in files if _stem(path).lower() in names]
        if len(found) > 1:
            both = ", ".join(path.name for path in found)
            raise DataError(f"{folder} has more than one {split} file ({both}); keep one")
        if found:
            tables[split] = read_table(found[0])
    if "train" not in tables:
        held = ", ".join(path.name for path in files[:8]) or "no data files"
        raise DataError(
            f"{folder} has no train file, such as train.jsonl or train.csv; it has {held}"
        )
    return tables


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).stem
