"""Files of rows: JSON Lines, CSV, TSV and Parquet, read whole, each row with its place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from effauto.errors import DataError

Record = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The rows of one file or split, each with its number; ``unit`` says what is numbered.

    In an ``untyped`` table all cells are strings, so a number may be meant.
    """

    place: str
    unit: str
    rows: list[tuple[int, Record]]
    untyped: bool = False

    @cached_property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(name for _, record in self.rows for name in record))

    def where(self, number: int) -> str:
        return f"{self.place}, {self.unit} {number}"


def read_table(path: Path) -> Table:
    """Read a file by its suffix, which may end in ``.gz``.

    Raises DataError, with the line or row, if the file is absent, empty or broken.
    """
    reader = _READERS.get(data_suffix(path))
    if reader is None:
        mend = _MENDS.get(data_suffix(path), "")
        known = ", ".join(_READERS)
        raise DataError(f"{path}: the name must end in one of {known} (or with .gz){mend}")
    table = reader(path)
    if not table.rows:
        raise DataError(f"{path} is empty: it holds no rows")
    return table


_SHEET = "; save the sheet as CSV"
_MENDS = {
    ".xlsx": _SHEET,
    ".xls": _SHEET,
    ".ods": _SHEET,
    ".txt": "; plain text is for --task language-modeling --from-scratch",
}


def data_suffix(path: Path) -> str:
    """The suffix that says the format: ``.jsonl`` for ``train.jsonl.gz``."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def is_data(path: Path) -> bool:
    return data_suffix(path) in _READERS


def plain_text(path: Path) -> str:
    """The whole file as text; DataError if it is none."""
    return _text(path)


def _bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.name.lower().endswith(".gz") else content
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is no whole gzip file: {error}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _text(path: Path) -> str:
    content = _bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: byte {error.start} is not UTF-8; convert the file,"
            " for instance with iconv"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: holds a NUL character, so it is no text file")
    return text


def _read_json_lines(path: Path) -> Table:
    lines = enumerate(_text(path).split("\n"), start=1)
    table = Table(str(path), "line", [])
    for number, line in lines:
        if line and not line.isspace():
            table.rows.append((number, _record(_parsed(line, table.where(number)), table, number)))
    return table


def _read_json(path: Path) -> Table:
    text = _text(path)
    if not text.lstrip().startswith("["):
        return _read_json_lines(path)
    table = Table(str(path), "row", [])
    for number, value in enumerate(_parsed(text, str(path)), start=1):
        table.rows.append((number, _record(value, table, number)))
    return table


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = (
            f"line {error.lineno}, column {error.colno}"
            if "\n" in text
            else f"column {error.colno}"
        )
        raise DataError(f"{where}: broken JSON at {at}: {error.msg}") from None
    except RecursionError:
        raise DataError(f"{where}: JSON that is nested too deeply") from None
    except ValueError:  # Python reads no more than 4,300 digits
        raise DataError(f"{where}: JSON with a number of too many digits") from None


def _record(value: Any, table: Table, number: int) -> Record:
    if not isinstance(value, dict):
        raise DataError(
            f"{table.where(number)}: must hold a JSON object such as"
            f' {{"text": …, "label": …}}, not {json.dumps(value)[:40]}'
        )
    return value


def _read_csv(path: Path) -> Table:
    text = _text(path)
    header = text.partition("\n")[0]
    return _delimited(path, text, ";" if ";" in header and "," not in header else ",")


def _read_tsv(path: Path) -> Table:
    """Many TSV files do not quote, so a lone quotation mark is then just a character."""
    text = _text(path)
    try:
        return _delimited(path, text, "\t")
    except DataError:
        return _delimited(path, text, "\t", csv.QUOTE_NONE)


def _delimited(
    path: Path, text: str, delimiter: str, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
) -> Table:
    table = Table(str(path), "line", [], untyped=True)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True
    )
    try:
        cells = ((reader.line_num, row) for row in reader if row)
        table.rows.extend(_under_header(cells, table))
    except csv.Error as error:
        raise DataError(f"{table.where(reader.line_num)}: broken CSV: {error}") from None
    return table


def _under_header(
    rows: Iterator[tuple[int, list[str]]], table: Table
) -> Iterator[tuple[int, Record]]:
    _, header = next(rows, (0, []))
    names = [name.strip() for name in header]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{table.place}: two columns are named {name!r} in the header")
    for number, row in rows:
        if len(row) != len(names):
            raise DataError(
                f"{table.where(number)}: {len(row)} fields, but the header has {len(names)};"
                " quote fields that hold the separator"
            )
        yield number, dict(zip(names, row, strict=True))


def _read_parquet(path: Path) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{path}: Parquet needs the package pyarrow: pip install 'effauto[parquet]'"
        ) from None
    content = _bytes(path)
    try:
        records = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).read().to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path} is no Parquet file: {str(error).splitlines()[0]}") from None
    return Table(str(path), "row", list(enumerate(records, start=1)))


_READERS: dict[str, Callable[[Path], Table]] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}
