"""The best answer among what was measured already: no search, no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effauto.budget import Budget
from effauto.errors import InputError
from effauto.planner.preferring import expense_of, preferred
from effauto.preference import Preference
from effauto.resources import QUALITY, Figures
from effauto.store import Store, TrialRecord
from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.store.setting import mixture

# Of the trials with the best quality, so many are weighed.
WEIGHED = 200
WHOLE = 0.999


@dataclass(frozen=True)
class Known:
    """The chosen trial, those as good (cheapest first), and what keeps them from comparing."""

    best: TrialRecord | None
    as_good: tuple[TrialRecord, ...]
    mixture: str = ""


def best_known(
    store: Store, wanted: Filter, budget: Budget, preference: Preference | None = None
) -> Known:
    """The most preferred trial at full scale whose measurements keep the budget.

    Without a preference: of the best quality and what lies within its noise, the cheapest. Raises
    InputError if ``wanted`` leaves several tasks, whose qualities do not compare.
    """
    complete = Filter(**{**vars(wanted), "where": _joined(wanted.where, budget)})
    metric = _metric(store, complete)
    if metric is None:
        return Known(None, ())
    found = trials(store, complete, sort=QUALITY + metric, limit=WEIGHED)
    full = [r for r in found if r.fidelity >= WHOLE and QUALITY + metric in r.measured]
    if not full:
        return Known(None, ())
    _require_one_task(full)
    ties = preferred(full, _figures, preference or Preference(), metric)
    ties.sort(key=lambda record: expense_of(record.measured))
    named = [limit.resource for limit in budget]
    return Known(ties[0], tuple(ties), mixture((r.setting for r in ties), named))


def _joined(one: Budget, other: Budget) -> Budget:
    return Budget((*one, *other))


def _figures(record: TrialRecord) -> Figures:
    return record.measured


def _metric(store: Store, wanted: Filter) -> str | None:
    newest = trials(store, Filter(**{**vars(wanted), "state": "finished"}), limit=1)
    return newest[0].task_traits.metric if newest else None


def _require_one_task(records: Sequence[TrialRecord]) -> None:
    tasks = sorted({f"{record.task} ({record.fingerprint[:12]})" for record in records})
    if len(tasks) > 1:
        raise InputError(
            f"these results are of {len(tasks)} tasks, whose qualities do not compare: "
            f"{', '.join(tasks)}; choose one with --task"
        )
