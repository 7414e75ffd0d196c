"""Do ``fits`` and ``cost`` answer soundly, whatever they are asked?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from effauto.checks.check import CheckFailed, require
from effauto.checks.samples import MODELS, TASKS, places, settings, workloads
from effauto.knobs import Setting
from effauto.method import Method, Verdict
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload


def fits_answers(method: Method) -> None:
    for task in TASKS:
        for model in MODELS:
            verdict = method.fits(task, model)
            asked = f"fits({task.kind}, {model.name})"
            require(isinstance(verdict, Verdict), f"{asked} returned {verdict!r}, no Verdict")
            require(
                is_sentence(verdict.reason) or verdict,
                f"{asked} must give its reason in one line, not {verdict.reason!r}",
            )
            require(verdict == method.fits(task, model), f"{asked} has two answers")


def cost_is_sound(method: Method) -> None:
    """Deterministic, finite, not negative, and its input is left as it was."""
    for task, model in fitting(method):
        for work in workloads(task, model):
            for setting in settings(method):
                _check_cost(method, work, setting)


def _check_cost(method: Method, work: Workload, setting: Setting) -> None:
    given_work, given_setting = replace(work), dict(setting)
    try:
        cost = method.cost(given_work, given_setting)
        again = method.cost(given_work, given_setting)
    except ValueError as error:
        raise CheckFailed(f"cost with {setting} fails: {error}") from error
    require(isinstance(cost, Workload), f"cost with {setting} returned {cost!r:.60}, no Workload")
    require(cost == again, f"cost with {setting} differs when it is asked twice")
    require(given_work == work, f"cost with {setting} changed the Workload that it was given")
    require(given_setting == setting, f"cost changed the setting that it was given, {setting}")
    for part in (cost, *cost.before):
        for name, value in part.numbers().items():
            require(math.isfinite(value), f"cost with {setting} makes {name} {value}")


def fitting(method: Method) -> Iterator[tuple[TaskTraits, ModelTraits]]:
    """The samples that the method says it is applicable to."""
    for task, model in places():
        if method.fits(task, model):
            yield task, model


def is_sentence(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and "\n" not in text
