"""Bundles as files: JSON Lines or Parquet, by their suffix."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from effauto.errors import InputError, StoreError

# What a bundle is known by, and the versions of its layout that can be read.
FORMAT, VERSION = "effauto_results", 1
PARQUET = ".parquet"
# Columns of a Parquet bundle that are text as they stand; the others hold JSON.
PLAIN = ("uuid", "source", "model", "hardware", "recipe_key", "purpose", "state", "error",
         "started_at", "finished_at")  # fmt: skip
NUMBERS = ("fidelity", "seed", "seconds")


def write(path: Path, about: dict[str, Any], lines: Iterable[dict[str, Any]]) -> None:
    """Write the file whole, or leave what was there as it was."""
    about = {FORMAT: VERSION} | about
    with _replacing(path) as file:
        if path.suffix == PARQUET:
            _write_parquet(file, about, list(lines))
            return
        for line in (about, *lines):
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def read(path: Path) -> Iterator[tuple[int, Any]]:
    """Each trial with the number of its row, from 1; one that is no JSON comes as a ValueError.

    Raises InputError for a file that is no bundle, or one of a newer effauto.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    rows = _read_parquet(path) if path.suffix == PARQUET else _read_lines(path)
    about = next(rows, None)
    version = about.get(FORMAT) if isinstance(about, dict) else None
    if version is None:
        raise InputError(
            f"{path} is no bundle of results: its first line must say {FORMAT!r}; "
            "make one with 'effauto results export'"
        )
    if version != VERSION:
        raise InputError(f"{path} is a bundle of a newer effauto ({version}): upgrade effauto")
    yield from enumerate(rows, start=1)


def _read_lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if line.strip():
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError) as error:  # also of bytes that are no UTF-8
                    yield ValueError(f"it is no JSON: {error}") if number else None


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _write_parquet(file: IO[bytes], about: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    arrow, parquet = _pyarrow()
    names = list(lines[0]) if lines else [*PLAIN, *NUMBERS]
    columns = {name: [_cell(name, line.get(name)) for line in lines] for name in names}
    table = arrow.table(columns).replace_schema_metadata({"effauto": json.dumps(about)})
    parquet.write_table(table, file, compression="zstd")


def _read_parquet(path: Path) -> Iterator[Any]:
    arrow, parquet = _pyarrow()
    try:
        table = parquet.read_table(path)
        about = json.loads((table.schema.metadata or {}).get(b"effauto", b"null"))
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path} is no Parquet file that can be read: {error}") from error
    yield about
    for row in table.to_pylist():
        try:
            yield {name: _value(name, cell) for name, cell in row.items()}
        except (ValueError, TypeError, RecursionError) as error:
            yield ValueError(f"it is no JSON: {error}")


def _cell(name: str, value: Any) -> Any:
    return value if name in (*PLAIN, *NUMBERS) else json.dumps(value, ensure_ascii=False)


def _value(name: str, cell: Any) -> Any:
    return cell if name in (*PLAIN, *NUMBERS) else json.loads(cell)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise InputError("Parquet needs pyarrow: pip install 'effauto[parquet]'") from error
    return pyarrow, pyarrow.parquet
