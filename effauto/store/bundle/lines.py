"""A trial as a line of a bundle, and back, checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from effauto.errors import EffautoError
from effauto.machine import Hardware
from effauto.recipe import Recipe
from effauto.resources import RESOURCES, Figure
from effauto.store.entries import MethodVersion, Situation, TrialRecord
from effauto.traits import ModelTraits, TaskTraits

STATES = ("finished", "failed", "interrupted")
PURPOSES = ("search", "run", "benchmark")
LONGEST = 2000
# Trials also measure what nobody budgets, such as train.cpu_time.
NAME = re.compile(r"(train|inference|model|quality|guard|life|search)\.[a-z0-9_]{1,40}")


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


def to_line(record: TrialRecord, *, anonymous: bool = False) -> dict[str, Any]:
    """Everything that is stored of a finished, failed or interrupted trial.

    An ``anonymous`` one has no names of tasks, folders or computers, and no messages.
    """
    line = record.to_json() | {
        "model_traits": record.model.to_json(),
        "machine": dict(record.machine),
    }
    for name in ("id", "study", "origin", "setting"):
        del line[name]
    return _anonymous(line) if anonymous else line


def _anonymous(line: dict[str, Any]) -> dict[str, Any]:
    task, model = dict(line["task"]), dict(line["model_traits"])
    task["name"] = f"task-{task['fingerprint'][:8]}"
    if _is_path(model["name"]):
        model["name"] = f"model-{_short(model['name'])}"
    methods = {
        name: used | {"origin": _short(used["origin"]) if _is_path(used["origin"]) else ""}
        for name, used in line["methods"].items()
    }
    figures = {
        kind: {name: figure | {"note": ""} for name, figure in line[kind].items()}
        for kind in ("estimate", "measurement")
    }
    return line | figures | {
        "task": task, "model_traits": model, "model": model["name"], "methods": methods,
        "error": "", "artefacts": [],
    }  # fmt: skip


def _is_path(name: str) -> bool:
    return name.startswith((".", "~", "/", "\\")) or ":\\" in name or name.count("/") > 1


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def from_line(line: Any) -> Line:
    """Read and check a line; raises ValueError with the reason if it is not a trial of ours."""
    try:
        task, machine = line["task"], Hardware.from_json(line["machine"])
        model = ModelTraits.from_json(line["model_traits"])
        traits = TaskTraits.from_json(task)
        situation = Situation(
            _text(task["name"]), _text(task["fingerprint"]), traits, model, machine
        )
        recipe = Recipe.from_json(line["recipe"])
        foretold, measured = _figures(line["estimate"]), _figures(line["measurement"])
        columns = _columns(line)
        methods = {_text(name): MethodVersion(**used) for name, used in line["methods"].items()}
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
            methods={n: used for n, used in methods.items() if n in recipe.settings},
            foretold=foretold,
            measured=measured,
            columns=columns,
        )
    except KeyError as error:
        raise ValueError(f"it has no {error}") from error
    except (TypeError, AttributeError, EffautoError) as error:
        raise ValueError(str(error)) from error


def _columns(line: Mapping[str, Any]) -> dict[str, Any]:
    state, purpose = line["state"], line["purpose"]
    if state not in STATES:
        raise ValueError(f"its state is {state!r}, and only {', '.join(STATES)} can be shared")
    if purpose not in PURPOSES:
        raise ValueError(f"its purpose is {purpose!r}, not one of {', '.join(PURPOSES)}")
    fidelity, seed = float(line["fidelity"]), int(line["seed"])
    if not 0 < fidelity <= 1:
        raise ValueError(f"its fidelity is {fidelity}, not a share between 0 and 1")
    started, finished = (_moment(line[name]) for name in ("started_at", "finished_at"))
    if started is None:
        raise ValueError("it does not say when it started")
    versions = {_text(name): _text(version) for name, version in line["versions"].items()}
    seconds = line["seconds"]
    return {
        "state": state, "purpose": purpose, "fidelity": fidelity, "seed": seed,
        "error": _text(line["error"]), "started_at": started, "finished_at": finished,
        "seconds": None if seconds is None else float(seconds), "versions": versions,
        "source": _text(line.get("source", "")),
    }  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _figures(figures: Mapping[str, Any]) -> dict[str, Figure]:
    found = {}
    for name, entry in figures.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no resource")
        figure = Figure.from_json(entry)
        unit = RESOURCES[name].unit if name in RESOURCES else figure.unit
        if figure.unit != unit:
            raise ValueError(f"{name} is in {figure.unit!r}, not in {unit!r}")
        found[name] = replace(figure, note=_text(figure.note))
    return found


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no text")
    return text.replace("\0", "")[:LONGEST]


def digest_of(
    fingerprint: str, recipe_key: str, fidelity: float, seed: int, purpose: str, started: datetime
) -> str:
    """Of what a trial is, however its task, model and machine are called."""
    parts = (fingerprint, recipe_key, fidelity, seed, purpose, started.astimezone(UTC).isoformat())
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
