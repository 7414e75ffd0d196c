"""Single cells of a table: texts, labels and lists, checked for what no model can learn from."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from typing import Any

from effauto.errors import DataError

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def read_text(value: Any, where: str) -> str:
    """Return a text that is there, is not blank, and can be written as UTF-8."""
    if value is None:
        raise DataError(f"{where} is missing")
    if not isinstance(value, str):
        raise DataError(f"{where} must be a text, not {_shown(value)}")
    if not value or value.isspace():
        raise DataError(f"{where} is empty; remove the row")
    _check_characters(value, where)
    return value


def read_list(value: Any, where: str, kinds: tuple[type, ...]) -> list[Any]:
    """Return a list that is not empty.

    A string is read as a JSON or Python list of ``kinds``, else split at its blanks.
    """
    if value is None:
        raise DataError(f"{where} are missing")
    if isinstance(value, str):
        value = _list_in(value, kinds)
    if not isinstance(value, list) or not value:
        raise DataError(f"{where} must be a list that is not empty, not {_shown(value)}")
    return value


def _list_in(text: str, kinds: tuple[type, ...]) -> list[Any]:
    if text.lstrip().startswith("["):
        for parse, allowed in ((json.loads, kinds), (ast.literal_eval, (str,))):
            try:
                value = parse(text.strip())
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(value, list) and all(isinstance(item, allowed) for item in value):
                return value
    return text.split()


@dataclass
class LabelReader:
    """Reads the labels of one column, which must all be of one type.

    In an ``untyped`` column, as of CSV, a string that looks like a number is one.
    """

    untyped: bool
    _first: tuple[str, str, str] | None = field(default=None, init=False)

    def read(self, value: Any, where: str, column: str) -> str:
        """Return the label's name; DataError if it is missing, a fraction or of another type."""
        if isinstance(value, str):
            value = value.strip()
        if value is None or value == "":
            raise DataError(f"{where}: the {column} is missing")
        kind, name = self._typed(value, where)
        self._first = self._first or (kind, name, where)
        if kind != self._first[0]:
            raise DataError(
                f"{where}: {name!r} under {column!r} is a {kind}, but {self._first[1]!r} in"
                f" {self._first[2].rpartition(', ')[2]} is a {self._first[0]}; write all as words"
            )
        return name

    def _typed(self, value: Any, where: str) -> tuple[str, str]:
        if isinstance(value, bool):
            return "truth value", str(value).lower()
        if isinstance(value, int):
            return "number", str(value)
        if isinstance(value, float):
            return "number", _whole(value, where)
        if not isinstance(value, str):
            raise DataError(f"{where}: a label must be a word or a number, not {_shown(value)}")
        _check_characters(value, f"{where}: the label")
        number = _NUMBER.fullmatch(value) if self.untyped else None
        if number is None:
            return "word", value
        fraction = number[1] is not None or number[2] is not None
        return "number", _whole(float(value), where) if fraction else value


def _whole(value: float, where: str) -> str:
    if not value.is_integer():
        raise DataError(
            f"{where}: the label {value:g} is no whole number, and effauto predicts classes, not"
            " quantities; give each range of values a name"
        )
    return str(int(value))


def _check_characters(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where} holds half a surrogate pair, which is no character") from None
    if "\0" in text:
        raise DataError(f"{where} holds a NUL character")


def _shown(value: Any) -> str:
    return f"{str(value)[:40]!r} ({type(value).__name__})"
