"""Which trials are wanted, as people write it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from effauto.budget import Budget, parse_limit
from effauto.errors import InputError
from effauto.store.filters import Filter

_AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def wanted(
    *,
    where: str | Iterable[str] = (),
    since: str | datetime | None = None,
    method: str | Iterable[str] = (),
    without: str | Iterable[str] = (),
    **given: Any,
) -> Filter:
    """The filter that these say: limits such as ``'inference.latency<=5ms'``, ages such as ``7d``.

    Raises BudgetError or InputError for what cannot be read.
    """
    moment = _moment(since) if isinstance(since, str) else since
    return Filter(
        where=Budget(tuple(map(parse_limit, several(where)))),
        since=moment,
        method=several(method),
        without=several(without),
        **given,
    )


def several(given: str | Iterable[str]) -> tuple[str, ...]:
    """One text is itself, not its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def _moment(text: str) -> datetime | None:
    """``7d`` ago, or the start of a day, or a moment, in local time unless it says otherwise."""
    age = re.fullmatch(r"([0-9]{1,4})([hdw])", text.strip())
    if age:
        return datetime.now(UTC) - int(age[1]) * _AGES[age[2]]
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"--since {text!r} is no date and no age; write 2026-01-31, or 7d for the last week"
        ) from None
