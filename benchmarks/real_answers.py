"""What the searches of ``real.py`` would answer at some time: trained once more, when all is over,
and judged on the test split; and their curves over the clock.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import planner
from real import BUDGET, EXPERT, MODEL, ROWS
from yahpo import hypervolume

import effauto
from effauto.recipe import Recipe
from effauto.resources import QUALITY

MARKS = 20
# Of the marks those at which the answer so far is judged on the test split.
JUDGED = (5, 10, 20)


def judge(folders: Sequence[Path]) -> None:
    """Train what each search would have answered, and judge it on the test split, once each; the
    last answers first.
    """
    target = planner.MEASURED / "real_tested.jsonl"
    done = {_key(line["task"], line["recipe"], line["seed"]) for line in planner.lines(target)}
    searches = planner.lines(planner.MEASURED / "real.jsonl")
    for place, folder, line in product(reversed(range(len(JUDGED))), folders, searches):
        answer = _answers(line)[place]
        key = _key(line["task"], answer, line["seed"])
        if answer is not None and line["task"] == folder.name and key not in done:
            done.add(key)
            entry = {"task": line["task"], "seed": line["seed"], "recipe": answer}
            entry |= _tested(folder, answer, line["seed"])
            with target.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")


def _answers(line: dict[str, Any]) -> list[dict[str, Any] | None]:
    """What the search would answer at each of the marks; the expert needs none."""
    if line["searcher"] == planner.EXPERT:
        return [{"model": MODEL, "steps": EXPERT.to_json()}] * len(JUDGED)
    found = []
    for mark in JUDGED:
        ended = [e for e in line["events"] if e["at"] <= line["horizon"] * mark / MARKS]
        found.append(ended[-1]["answer"] if ended else None)
    return found


def _key(task: str, answer: dict[str, Any] | None, seed: int) -> str:
    return json.dumps([task, answer, seed], sort_keys=True)


def _tested(folder: Path, answer: dict[str, Any], seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        store = str(Path(name) / "results.db")
        plan = effauto.plan(
            folder,
            budget=BUDGET,
            model=answer["model"],
            recipe=Recipe.from_json(answer["steps"]),
            max_rows=ROWS,
            seed=seed,
            store=store,
        )
        outcome = effauto.run(plan, Path(name) / "model", store=store)
        figures = outcome.measurement
        (quality,) = (name for name in figures if name.startswith(QUALITY))
        names = {"quality": quality, "latency": "inference.latency", "size": "model.size"}
        return {short: figures[long].value for short, long in names.items()}


def judged(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The curves, beside the best and the range that any searcher found on the task."""
    tested = planner.lines(planner.MEASURED / "real_tested.jsonl")
    known = {_key(line["task"], line["recipe"], line["seed"]): line["quality"] for line in tested}
    return [
        line
        | _curves(line, [other for other in found if other["task"] == line["task"]])
        | {"tested": [_judged(known, line, answer) for answer in _answers(line)]}
        for line in found
    ]


def _judged(
    known: dict[str, float], line: dict[str, Any], answer: dict[str, Any] | None
) -> float | None:
    """0 for no answer, None for one that was not judged yet."""
    return known.get(_key(line["task"], answer, line["seed"])) if answer else 0.0


def _curves(line: dict[str, Any], rivals: Sequence[dict[str, Any]]) -> dict[str, Any]:
    everything = [event for other in rivals for event in _kept(other["events"])]
    best = max((event["quality"] for event in everything), default=0.0)
    scale = _points(everything)
    times = [line["horizon"] * (mark + 1) / MARKS for mark in range(MARKS)]
    done = [[e for e in _kept(line["events"]) if e["at"] <= time] for time in times]
    return {
        "lacks": [best - max((e["quality"] for e in events), default=0.0) for events in done],
        "volume": [hypervolume(_points(e), scale) if e else 0.0 for e in done],
    }


def _kept(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if not event["over"]]


def _points(events: Iterable[dict[str, Any]]) -> Any:
    return np.array([[1 - event["quality"], event["latency"], event["size"]] for event in events])
