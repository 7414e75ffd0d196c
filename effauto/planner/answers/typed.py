"""Whether what was read from a file has the types that its dataclass declares."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def well_typed(value: T) -> T:
    """Return a dataclass as it is; raise TypeError, naming the field, if it is not as declared.

    Numbers must be finite, and an int may stand for a float.
    """
    _check_fields(value, "")
    return value


def _check_fields(value: Any, place: str) -> None:
    hints = get_type_hints(type(value))
    for field in fields(value):
        _check(getattr(value, field.name), hints[field.name], f"{place}{field.name}")


def _check(value: Any, hint: Any, place: str) -> None:
    if not _fits(value, hint, place):
        raise TypeError(f"{place} cannot be {value!r:.60}")


def _fits(value: Any, hint: Any, place: str) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments and not isinstance(value, bool)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option, place) for option in arguments)
    if origin is None:
        return _fits_plain(value, hint, place)
    if not isinstance(value, origin):
        return False
    if isinstance(value, Mapping):
        _check_all([*value.keys()], arguments[0], place)
        _check_all([*value.values()], arguments[1], place)
    elif origin is tuple and arguments[-1] is not Ellipsis:
        return len(value) == len(arguments) and all(map(_fits, value, arguments, [place] * 9))
    else:
        _check_all([*value], arguments[0], place)
    return True


def _check_all(values: list[Any], hint: Any, place: str) -> None:
    for value in values:
        _check(value, hint, place)


def _fits_plain(value: Any, hint: Any, place: str) -> bool:
    if hint is Any:
        return True
    if hint is None or hint is types.NoneType:
        return value is None
    if hint in (int, float):
        number = isinstance(value, int if hint is int else (int, float))
        return number and not isinstance(value, bool) and math.isfinite(value)
    if is_dataclass(hint) and isinstance(value, hint):  # type: ignore[arg-type]
        _check_fields(value, f"{place}.")
    return isinstance(value, hint)
