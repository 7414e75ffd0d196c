"""From a row of ``costs.py`` to the work that its recipe was foretold to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from effauto.composition import compose
from effauto.cost.flops import served_tokens
from effauto.lengths import PAD_TO
from effauto.machine import Hardware
from effauto.method import Method
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload


def untouched_work(row: Mapping[str, Any]) -> Workload:
    """The work of the empty recipe on the row's task."""
    task, model = TaskTraits.from_json(row["task"]), ModelTraits.from_json(row["traits"])
    return Workload.untouched(task, model)


def followed_work(
    row: Mapping[str, Any],
    methods: Mapping[str, Method],
    hardware: Hardware,
    skipped: Collection[str],
) -> Workload:
    """The work of the row's recipe, without the methods that were skipped."""
    work = untouched_work(row)
    task, model = TaskTraits.from_json(row["task"]), ModelTraits.from_json(row["traits"])
    recipe = Recipe.from_json(row["case"]["recipe"])
    for method, setting in compose(recipe, methods, task, model, hardware).steps:
        if method.name not in skipped:
            work = method.cost(work, setting)
    return work


def lengths_of(work: Workload) -> dict[str, int]:
    """The lengths at which a recipe is traced."""
    inputs = max(1.0, work.inputs)
    return {
        "train_tokens": _padded(work.train_tokens / inputs - work.prepended),
        "request_tokens": _padded(served_tokens(work) / inputs),
    }


def _padded(tokens: float) -> int:
    return max(PAD_TO, round(tokens / PAD_TO) * PAD_TO)
