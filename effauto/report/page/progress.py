"""The search over time, and how far what was foretold lay from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from effauto.budget import Budget
from effauto.report.page.points import broken_by, spelt_out
from effauto.report.values import value_of
from effauto.resources import Figure
from effauto.store import TrialRecord


def course(trials: Sequence[TrialRecord], metric: str, budget: Budget) -> list[dict[str, Any]]:
    """Each trial, oldest first: when it ended, in seconds since the first began, and how."""
    ordered = sorted(trials, key=lambda trial: trial.started_at)
    return [
        {
            "id": f"trial-{trial.id}",
            "name": spelt_out(trial.model.name, trial.recipe),
            "state": trial.state,
            "error": trial.error,
            "share": trial.fidelity,
            "at": _since(ordered[0], trial),
            "quality": trial.value(metric),
            "kept": not any(broken_by(trial.measured, budget)),
        }
        for trial in ordered
    ]


def _since(first: TrialRecord, trial: TrialRecord) -> float:
    return ((trial.finished_at or trial.started_at) - first.started_at).total_seconds()


def pairs(trials: Sequence[TrialRecord]) -> Mapping[str, list[dict[str, Any]]]:
    """By resource, what was foretold of each trial beside what was measured."""
    found: dict[str, list[dict[str, Any]]] = {}
    for trial in trials:
        for name, foretold in trial.foretold.items():
            measured = trial.measured.get(name)
            if measured and foretold.value > 0 < measured.value:
                found.setdefault(name, []).append(_pair(trial, name, foretold, measured))
    return dict(sorted(found.items()))


def _pair(trial: TrialRecord, name: str, foretold: Figure, measured: Figure) -> dict[str, Any]:
    return {
        "name": spelt_out(trial.model.name, trial.recipe),
        "foretold": foretold.value,
        "low": foretold.low,
        "high": foretold.high,
        "measured": measured.value,
        "text": f"foretold {value_of(name, foretold)}, measured {value_of(name, measured)}",
    }
