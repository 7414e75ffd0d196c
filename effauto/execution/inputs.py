"""What users hand to ``predict``, as rows of an example's fields."""

from __future__ import annotations

from collections.abc import Sequence

from effauto.errors import InputError

_WANTED = {
    "text-classification": "a list of texts",
    "language-modeling": "a list of texts",
    "masked-language-modeling": "a list of texts",
    "pair-classification": "a list of (text_a, text_b) pairs",
    "token-classification": "a list of lists of words",
}


def rows_of(inputs: Sequence[str | Sequence[str]], kind: str) -> list[tuple[str, ...]]:
    """One row an input; raise InputError, naming the input, for what is none of this kind."""
    if isinstance(inputs, str):
        raise InputError(f"predict takes {_WANTED[kind]}, not one text: put it in a list")
    return [_row(item, kind, place) for place, item in enumerate(inputs)]


def _row(item: str | Sequence[str], kind: str, place: int) -> tuple[str, ...]:
    if isinstance(item, str):
        fields: tuple[object, ...] = (item,)
    else:
        fields = tuple(item) if isinstance(item, Sequence) else (item,)
    one, two = _WANTED[kind] == "a list of texts", kind == "pair-classification"
    fits = len(fields) == 1 + two if one or two else not isinstance(item, str)
    if not fits or not all(isinstance(field, str) for field in fields):
        raise InputError(f"predict takes {_WANTED[kind]}; input {place} is {item!r:.60}")
    return tuple(map(str, fields))
