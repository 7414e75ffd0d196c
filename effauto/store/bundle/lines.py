"""Reads a line of a bundle as a trial, and checks it: it may come from anybody."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from effauto.errors import EffautoError
from effauto.knobs import Value
from effauto.machine import Hardware
from effauto.recipe import Recipe
from effauto.resources import RESOURCES, Figure
from effauto.store.bundle.checked import LARGEST, as_number, as_text, as_whole, check
from effauto.store.entries import MethodVersion, Situation
from effauto.traits import ModelTraits, TaskTraits

STATES = ("finished", "failed", "interrupted")
PURPOSES = ("search", "run", "benchmark")
# Trials also measure what nobody budgets, such as train.cpu_time.
RESOURCE = re.compile(r"(train|inference|model|quality|guard|life|search)\.[a-z0-9_]{1,40}")
METHOD = re.compile(r"[a-z0-9-]{1,60}")


@dataclass(frozen=True)
class Line:
    """A trial read from a bundle; ``digest`` is the same wherever and however often it is sent."""

    uuid: str
    digest: str
    situation: Situation
    recipe: Recipe
    methods: Mapping[str, MethodVersion]
    foretold: Mapping[str, Figure]
    measured: Mapping[str, Figure]
    columns: Mapping[str, Any]


def from_line(line: Any) -> Line:
    """Read and check a line; raises ValueError with the reason if it is not a trial of ours."""
    try:
        return _read(line)
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    except (TypeError, AttributeError, IndexError, OverflowError, EffautoError) as error:
        raise ValueError(str(error)) from error


def _read(line: Any) -> Line:
    situation, recipe, columns = _situation(line), _recipe(line["recipe"]), _columns(line)
    methods = {name: MethodVersion(**used) for name, used in line["methods"].items()}
    for used in methods.values():
        check(used, MethodVersion, "a method")
    return Line(
        uuid=str(UUID(line["uuid"])),
        digest=digest_of(
            situation.fingerprint,
            recipe.key,
            columns["fidelity"],
            columns["seed"],
            columns["purpose"],
            columns["started_at"],
        ),
        situation=situation,
        recipe=recipe,
        methods={name: used for name, used in methods.items() if name in recipe.settings},
        foretold=_figures(line["estimate"]),
        measured=_figures(line["measurement"]),
        columns=columns,
    )


def _situation(line: Mapping[str, Any]) -> Situation:
    task, fingerprint = line["task"], as_text(line["task"]["fingerprint"], "the fingerprint")
    if not fingerprint:
        raise ValueError("its task has no fingerprint")
    traits, model = TaskTraits.from_json(task), ModelTraits.from_json(line["model_traits"])
    machine = Hardware.from_json(line["machine"])
    for found in (traits, model, machine):
        check(found, type(found), "")
    for name, number in (("classes", traits.classes), ("examples", traits.examples),
                         ("threads", machine.threads)):  # fmt: skip
        as_whole(number, name)
    return Situation(as_text(task["name"], "the task's name"), fingerprint, traits, model, machine)


def _recipe(steps: Any) -> Recipe:
    recipe = Recipe.from_json(steps)
    for step in recipe.steps:
        if not METHOD.fullmatch(step.method):
            raise ValueError(f"{step.method[:60]!a} is no method")
        check(step.setting, Mapping[str, Value], step.method)
    return recipe


def _columns(line: Mapping[str, Any]) -> dict[str, Any]:
    state, purpose = line["state"], line["purpose"]
    if state not in STATES:
        raise ValueError(f"its state is {state!r}, and only {', '.join(STATES)} can be shared")
    if purpose not in PURPOSES:
        raise ValueError(f"its purpose is {purpose!r}, not one of {', '.join(PURPOSES)}")
    fidelity, seconds = as_number(line["fidelity"], "fidelity"), line["seconds"]
    if not 0 < fidelity <= 1:
        raise ValueError(f"its fidelity is {fidelity}, not a share between 0 and 1")
    started, finished = (_moment(line[name]) for name in ("started_at", "finished_at"))
    if started is None:
        raise ValueError("it does not say when it started")
    check(line["versions"], Mapping[str, str], "versions")
    return {
        "state": state, "purpose": purpose, "fidelity": fidelity,
        "seed": as_whole(line["seed"], "seed", LARGEST), "error": as_text(line["error"], "error"),
        "started_at": started, "finished_at": finished,
        "seconds": None if seconds is None else as_number(seconds, "seconds"),
        "versions": line["versions"], "source": as_text(line.get("source", ""), "source"),
    }  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def _figures(figures: Mapping[str, Any]) -> dict[str, Figure]:
    found = {}
    for name, entry in figures.items():
        if not RESOURCE.fullmatch(name):
            raise ValueError(f"{name[:60]!a} is no resource")
        figure = Figure.from_json(entry)
        figure = replace(figure, note=as_text(figure.note, "a note"))
        check(figure, Figure, name)
        unit = RESOURCES[name].unit if name in RESOURCES else figure.unit
        if figure.unit != unit:
            raise ValueError(f"{name} is in {figure.unit!a}, not in {unit!a}")
        found[name] = figure
    return found


def digest_of(
    fingerprint: str, recipe_key: str, fidelity: float, seed: int, purpose: str, started: datetime
) -> str:
    """Of what a trial is, however its task, model and machine are called."""
    parts = (fingerprint, recipe_key, fidelity, seed, purpose, started.astimezone(UTC).isoformat())
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
