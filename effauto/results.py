"""What was measured, asked in Python: every answer is a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from effauto.budget import parse_budget
from effauto.errors import InputError
from effauto.planner.knowledge.known import best_known
from effauto.preference import parse_preference
from effauto.report.comparing import EFFECTS
from effauto.report.trials import all_columns, check_columns, value_of
from effauto.report.wanted import several, wanted
from effauto.resources import resource_named
from effauto.store import TrialRecord, open_store
from effauto.store.comparison import compare
from effauto.store.entries import Purpose, State
from effauto.store.fronts import pareto
from effauto.store.marginal import marginals
from effauto.store.query import trials
from effauto.store.seen import metrics, seen
from effauto.store.statistics import statistics

if TYPE_CHECKING:
    import pandas


class Which(TypedDict, total=False):
    """Which trials are meant; what is left out leaves all in.

    ``task`` is a name or a fingerprint; ``method`` and ``without`` are names of methods, of which
    all and none stand in the recipe; ``where`` are limits on what was measured, such as
    ``'inference.latency<=5ms'``; ``since`` is a moment, a date or an age such as ``7d``.
    """

    task: str
    model: str
    hardware: str
    method: str | Iterable[str]
    without: str | Iterable[str]
    where: str | Iterable[str]
    since: str | datetime
    state: State
    purpose: Purpose


class Results:
    """A database of results, the user's own unless ``db`` names another (a path or a URL).

    Quantities are in SI units or bytes. Needs pandas: ``pip install 'effauto[pandas]'``. Close it,
    or use it as a context manager. Raises StoreError for a database that cannot be used.
    """

    def __init__(self, db: str | Path | None = None) -> None:
        self._store = open_store(db, create=db is None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    def trials(
        self,
        *,
        sort: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] = (),
        **which: Unpack[Which],
    ) -> pandas.DataFrame:
        """A row a trial, newest first, or best first by the resource ``sort``.

        ``columns`` are resources (as measured), ``estimate.<resource>`` (as foretold), and what
        ``effauto results list --columns`` knows. Raises InputError for another.
        """
        found = trials(self._store, wanted(**which), sort=sort, limit=limit)
        return _frame_of(found, columns)

    def pareto(self, x: str, y: str, **which: Unpack[Which]) -> pandas.DataFrame:
        """The trials that no other beats in one of the resources without losing in the other."""
        resources = [resource_named(name).name for name in (x, y)]
        found = pareto(self._store, wanted(**which), *resources)
        return _frame_of(found, ("id", "task", "model", "recipe", *resources, "setting"))

    def best(
        self,
        *,
        budget: str | Iterable[str] = (),
        prefer: str | None = None,
        **which: Unpack[Which],
    ) -> pandas.DataFrame:
        """The best trials at full scale within ``budget``, those as good, the cheapest first.

        Empty if none keeps the budget. Raises InputError if ``which`` leaves several tasks.
        """
        preference = parse_preference(prefer) if prefer else None
        known = best_known(self._store, wanted(**which), parse_budget(several(budget)), preference)
        return _frame_of(known.as_good, ())

    def compare(self, a: str | int, b: str | int, *, forced: bool = False) -> pandas.DataFrame:
        """A row a resource: trial B's recipe against A's, paired by seed; see ``Difference``."""
        found = compare(self._store, a, b, forced=forced)
        return _frame(difference.to_json() for difference in found.differences)

    def methods(self, **which: Unpack[Which]) -> pandas.DataFrame:
        """A row a method and resource: the median change that the method makes, and its spread."""
        asked = wanted(**which)
        resources = [*metrics(self._store, asked), *EFFECTS]
        found = marginals(seen(self._store, asked, resources))
        return _frame(marginal.to_json() for marginal in found)

    def stats(self) -> pandas.DataFrame:
        """A row a database: what it holds, counted."""
        return _frame(one.to_json() for one in statistics(self._store))


def _frame_of(records: Sequence[TrialRecord], columns: Sequence[str]) -> pandas.DataFrame:
    names = check_columns(columns) or all_columns(records)
    rows = [{name: value_of(record, name) for name in names} for record in records]
    return _pandas().DataFrame(rows, columns=list(names))


def _frame(rows: Iterable[dict[str, Any]]) -> pandas.DataFrame:
    return _pandas().DataFrame(list(rows))


def _pandas() -> Any:
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise InputError("DataFrames need pandas: pip install 'effauto[pandas]'") from error
    return pandas
