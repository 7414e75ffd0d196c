"""Data sets of the Hugging Face hub, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from effauto.errors import DataError
from effauto.task.readers import Record, Table

SPLIT_NAMES = {
    "train": ("train",),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}


def fetch(name: str) -> tuple[dict[str, Table], list[str]]:
    """Load ``name`` or ``name:configuration``; return its splits as tables, and notes.

    Raises DataError if the package ``datasets`` is absent or the hub does not yield the data set.
    """
    absent = f"{name!r} is no file or folder here"
    if find_spec("datasets") is None:
        raise DataError(
            f"{absent}; to look for it among the data sets of the Hugging Face hub,"
            " pip install 'effauto[datasets]'"
        )
    import datasets

    path, _, configuration = name.partition(":")
    try:
        loaded = datasets.load_dataset(path, configuration or None)
    except Exception as error:  # the hub's client raises errors of a dozen libraries
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DataError(f"{absent}, and the Hugging Face hub did not yield it: {reason}") from error
    return tables(loaded, name)


def tables(loaded: Mapping[str, Any], name: str) -> tuple[dict[str, Table], list[str]]:
    """The splits of a loaded ``DatasetDict``; a split without labels is left out and noted."""
    found: dict[str, Table] = {}
    notes: list[str] = []
    for split, names in SPLIT_NAMES.items():
        data = next((loaded[key] for key in names if key in loaded), None)
        if data is None:
            continue
        rows = [_with_names(row, data.features) for row in data]
        if rows and all(_hidden(row, data.features) for row in rows):
            notes.append(f"{split} of {name} was left out, since its labels are not public")
            continue
        found[split] = Table(f"{name}, {split}", "row", list(enumerate(rows, start=1)))
    return found, notes


def _with_names(row: Record, features: Mapping[str, Any]) -> Record:
    return {column: _named(value, features[column]) for column, value in row.items()}


def _named(value: Any, feature: Any) -> Any:
    """Class numbers become class names, also in lists; -1 stands for a hidden label."""
    if isinstance(value, list):
        return [_named(item, getattr(feature, "feature", feature)) for item in value]
    if hasattr(feature, "int2str") and isinstance(value, int):
        return feature.int2str(value) if value >= 0 else None
    return value


def _hidden(row: Record, features: Mapping[str, Any]) -> bool:
    return any(hasattr(features[column], "int2str") and row[column] is None for column in row)
