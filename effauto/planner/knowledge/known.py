"""The best answer among what was measured already: no search, no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from effauto.budget import Budget
from effauto.errors import InputError
from effauto.planner.preferring import expense_of, preferred
from effauto.preference import Preference
from effauto.resources import QUALITY, Figures
from effauto.store import Store, TrialRecord
from effauto.store.filters import SHOWN, Filter
from effauto.store.query import trials
from effauto.store.setting import mixture

# Of the trials with the best quality, so many are weighed.
WEIGHED = 200


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

    Without a preference: of the best quality and what lies within its noise, the cheapest. Whatever
    state and share of the data ``wanted`` names, only what finished whole is chosen. Raises
    InputError if ``wanted`` leaves several tasks, whose qualities do not compare.
    """
    limits = Budget((*wanted.where, *budget))
    asked = replace(wanted, where=limits, state="finished", fidelity=1.0)
    metric = _metric(store, asked)
    if metric is None:
        return Known(None, ())
    found = trials(store, asked, sort=QUALITY + metric, limit=WEIGHED)
    judged = [record for record in found if QUALITY + metric in record.measured]
    if not judged:
        return Known(None, ())
    _require_one_task(judged)
    ties = preferred(judged, _figures, preference or Preference(), metric)
    ties.sort(key=lambda record: expense_of(record.measured))
    return Known(ties[0], tuple(ties), _mixture(judged, [limit.resource for limit in budget]))


def _mixture(records: Sequence[TrialRecord], limited: Sequence[str]) -> str:
    """Why those that were weighed do not quite compare, if they do not."""
    found = mixture((record.setting for record in records), limited)
    if len({record.purpose == "search" for record in records}) > 1:
        rows = "searches are judged on the validation rows, runs on the test rows: see --purpose"
        return "; ".join(filter(None, (rows, found)))
    return found


def _figures(record: TrialRecord) -> Figures:
    return record.measured


def _metric(store: Store, wanted: Filter) -> str | None:
    newest = trials(store, wanted, limit=1)
    return newest[0].task_traits.metric if newest else None


def _require_one_task(records: Sequence[TrialRecord]) -> None:
    tasks = {record.fingerprint: record for record in records}
    if len(tasks) > 1:
        told = sorted(
            f"{task[:SHOWN]} ({record.task}, {record.task_traits.examples:,} rows)"
            for task, record in tasks.items()
        )
        raise InputError(
            f"these results are of {len(tasks)} tasks, whose qualities do not compare: "
            f"{', '.join(told)}; choose one with --task"
        )
