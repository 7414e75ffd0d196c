"""A trial as a line of a bundle, with or without the names of whose it is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from effauto.store.entries import TrialRecord


def to_line(record: TrialRecord, *, anonymous: bool = False) -> dict[str, Any]:
    """Everything that is stored of a finished, failed or interrupted trial.

    An ``anonymous`` one has no names of tasks, folders, people or computers, and no messages.
    """
    line = record.to_json() | {
        "model_traits": record.model.to_json(),
        "machine": dict(record.machine),
    }
    for name in ("id", "study", "origin", "setting"):
        del line[name]
    return _anonymous(line) if anonymous else line


def _anonymous(line: dict[str, Any]) -> dict[str, Any]:
    task, model, machine = dict(line["task"]), dict(line["model_traits"]), _machine(line["machine"])
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
        "machine": machine, "hardware": machine["name"], "error": "", "source": "",
        "artefacts": [],
    }  # fmt: skip


def _machine(machine: dict[str, Any]) -> dict[str, Any]:
    """Called by its chips: whoever describes one in a file calls it as they like."""
    name = machine["name"]
    if not name.startswith(machine["processor"]):
        name = f"{machine['processor']}, {machine['cores']} cores"
    return machine | {"name": name, "sources": {}}


def _is_path(name: str) -> bool:
    usual = name.startswith((".", "~", "/", "\\")) or ":\\" in name or name.count("/") > 1
    return usual or ("/" in name and Path(name).exists())


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
