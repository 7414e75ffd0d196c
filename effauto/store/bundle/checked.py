"""Whether what others sent is of the kinds that our own dataclasses promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from effauto.store.entries import storable

LONGEST = 2000
# What a database's whole numbers hold: those of its columns, and all others.
COLUMN, LARGEST = 2**31 - 1, 2**63 - 1


def check(value: Any, kind: Any, name: str) -> None:
    """Raise ValueError, saying what is wrong with ``name``, unless ``value`` is of this kind.

    A kind is an annotation: a number, a text, a choice of them, a collection, or a dataclass, whose
    fields are checked in their turn.
    """
    if isinstance(kind, type) and is_dataclass(kind):
        for field, hint in _hints(kind).items():
            check(getattr(value, field), hint, field)
    else:
        _CHECKS[get_origin(kind) or kind](value, kind, name)


def as_text(value: Any, name: str) -> str:
    """A text that any database can hold, cut if it is long; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is {_shown(value)}, not a text")
    return storable(value)[:LONGEST]


def as_whole(value: Any, name: str, largest: int = COLUMN) -> int:
    """A whole number that fits its column; raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > largest:
        raise ValueError(f"{name} is {_shown(value)}, not a whole number up to {largest}")
    return value


def as_number(value: Any, name: str) -> float:
    """A finite number; raises ValueError for anything else."""
    if isinstance(value, int):
        as_whole(value, name, LARGEST)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {_shown(value)}, not a finite number")
    return float(value)


def _whole(value: Any, kind: Any, name: str) -> None:
    as_whole(value, name, LARGEST)


def _number(value: Any, kind: Any, name: str) -> None:
    as_number(value, name)


def _text(value: Any, kind: Any, name: str) -> None:
    if as_text(value, name) != value:
        raise ValueError(f"{name} is longer than {LONGEST} signs, or has some that are no text")


def _switch(value: Any, kind: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {_shown(value)}, neither true nor false")


def _choice(value: Any, kind: Any, name: str) -> None:
    if value not in (choices := get_args(kind)):
        raise ValueError(f"{name} is {_shown(value)}, not one of {', '.join(map(str, choices))}")


def _either(value: Any, kind: Any, name: str) -> None:
    for one in get_args(kind):
        try:
            return check(value, one, name)
        except ValueError:
            continue
    raise ValueError(f"{name} is {_shown(value)}, which cannot stand there")


def _nothing(value: Any, kind: Any, name: str) -> None:
    if value is not None:
        raise ValueError(f"{name} is {_shown(value)}, which it may not be")


def _several(value: Any, kind: Any, name: str) -> None:
    for item in value:
        check(item, get_args(kind)[0], name)


def _mapping(value: Any, kind: Any, name: str) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} is {_shown(value)}, not an object")
    for key, item in value.items():
        check(key, str, name)
        check(item, get_args(kind)[1], f"{name}.{key}")


_CHECKS: Mapping[Any, Callable[[Any, Any, str], None]] = {
    int: _whole,
    float: _number,
    str: _text,
    bool: _switch,
    type(None): _nothing,
    Literal: _choice,
    UnionType: _either,
    tuple: _several,
    frozenset: _several,
    Mapping: _mapping,
}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _shown(value: Any) -> str:
    return ascii(value)[:60]
