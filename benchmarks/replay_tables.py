"""Tables of trials that were measured before, and what the planner understands of their tasks.

A table is one task on one machine: recipes with what was measured of each, on shares of the data.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from effauto.budget import Budget, Limit
from effauto.cost import Place, Prices
from effauto.machine import Hardware
from effauto.model import ModelSource
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.candidates.pool import usable_methods
from effauto.planner.candidates.space import Space, build_space
from effauto.planner.engine.history import key
from effauto.planner.knowledge.advice import portfolio
from effauto.planner.knowledge.experience import experience
from effauto.planner.knowledge.prior import learn_prior
from effauto.planner.request import Request
from effauto.planner.situation import ADVISED, Situation
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figure, Figures
from effauto.store.qualities import Worth
from effauto.task import Task
from effauto.task.examples import Examples
from effauto.traits import ModelTraits, TaskTraits

# The clock stands at this part of what all rows take together.
SHARE = 0.4
# Limits are such that so many of the rows keep each.
KEPT = 0.7
LIMITED = ("inference.latency", "train.time", "model.size")


@dataclass(frozen=True)
class Row:
    """What one recipe gave on a share of the data, and how long the trial took."""

    candidate: Candidate
    fidelity: float
    measured: Figures
    seconds: float


@dataclass
class Table:
    """One task on one machine."""

    name: str
    traits: TaskTraits
    fingerprint: str
    models: Mapping[str, ModelTraits]
    hardware: Hardware
    rows: list[Row]

    @property
    def metric(self) -> str:
        return self.traits.metric

    @cached_property
    def whole(self) -> dict[Candidate, Row]:
        """Each recipe at full scale."""
        return {row.candidate: row for row in self.rows if row.fidelity == 1}

    @cached_property
    def limited(self) -> tuple[str, ...]:
        """Two resources that were measured of every row."""
        everywhere = (n for n in LIMITED if all(n in row.measured for row in self.rows))
        return tuple(islice(everywhere, 2))

    @cached_property
    def budget(self) -> Budget:
        """Limits that most rows keep."""
        limits = []
        for name in self.limited:
            figures = [row.measured[name] for row in self.whole.values()]
            most = float(np.quantile([figure.value for figure in figures], KEPT))
            limits.append(Limit(name, most, figures[0].unit))
        return Budget(tuple(limits))

    @property
    def horizon(self) -> float:
        return SHARE * sum(row.seconds for row in self.rows)

    def quality(self, row: Row) -> float:
        return row.measured[QUALITY + self.metric].value

    def kept(self, row: Row) -> bool:
        return not self.budget.broken({name: f.value for name, f in row.measured.items()})

    @cached_property
    def best(self) -> float:
        return max(self.quality(row) for row in self.whole.values() if self.kept(row))


def tables(files: Iterable[Path], least: int = 10) -> list[Table]:
    """Of each task the table, of those of its machines, that has most recipes at full scale."""
    entries = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    apart: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in entries:
        if entry["state"] == "finished" and entry["purpose"] == "search":
            apart.setdefault((entry["task"]["name"], entry["hardware"]), []).append(entry)
    made = [_table(found) for found in apart.values()]
    best: dict[str, Table] = {}
    for table in sorted(made, key=lambda table: len(table.whole)):
        if len(table.whole) >= least:
            best[table.name] = table
    return [best[name] for name in sorted(best)]


def _table(entries: Sequence[dict[str, Any]]) -> Table:
    first = entries[0]
    found: dict[tuple[Candidate, float], list[Row]] = {}
    for entry in entries:
        candidate = Candidate(entry["model"], Recipe.from_json(entry["recipe"]))
        measured = {n: Figure.from_json(figure) for n, figure in entry["measurement"].items()}
        row = Row(candidate, entry["fidelity"], measured, entry["seconds"])
        found.setdefault((candidate, row.fidelity), []).append(row)
    models = {e["model"]: ModelTraits.from_json(e["model_traits"]) for e in entries}
    task, machine = first["task"], Hardware.from_json(first["machine"])
    traits = TaskTraits.from_json(task)
    firsts = [rows[0] for rows in found.values()]  # a repeat in the same place adds nothing
    # What most trials measured, all must have.
    whole = [n for n in LIMITED if 2 * sum(n in row.measured for row in firsts) > len(firsts)]
    rows = [row for row in firsts if row.measured.keys() >= {*whole, QUALITY + traits.metric}]
    return Table(task["name"], traits, task["fingerprint"], models, machine, rows)


@dataclass(frozen=True)
class Earlier(Worth):
    """A trial of another task, and the machine that its costs are of."""

    hardware: str = ""


def history(files: Iterable[Path], without: str) -> list[Earlier]:
    """What is known of all other tasks, newest first."""
    entries = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    entries.sort(key=lambda entry: entry["started_at"], reverse=True)
    return [
        Earlier(
            hardware=entry["hardware"],
            fingerprint=entry["task"]["fingerprint"],
            task_traits=TaskTraits.from_json(entry["task"]),
            model=ModelTraits.from_json(entry["model_traits"]),
            recipe=Recipe.from_json(entry["recipe"]),
            fidelity=entry["fidelity"],
            purpose=entry["purpose"],
            measured={n: Figure.from_json(f) for n, f in entry["measurement"].items()},
        )
        for entry in entries
        if entry["state"] == "finished" and entry["task"]["name"] != without
    ]


def understood(table: Table, known: Sequence[Earlier], seed: int) -> tuple[Situation, Space]:
    """What the planner understands of a table's task, with that history."""
    methods = load_plugins().methods()
    models = {name: ModelSource(name, traits) for name, traits in table.models.items()}
    oracle = Oracle(table.traits, models, methods, table.hardware, Prices(), Place())
    usable, ruled_out = usable_methods(oracle)
    model = next(n for n, traits in table.models.items() if traits.family == "transformer")
    request = Request(model=model, budget=table.budget, search_time=table.horizon, seed=seed)
    prior = learn_prior(known, table.traits, table.fingerprint, methods)
    situation = Situation(request, _task(table), oracle, load_plugins(), usable, ruled_out, prior)
    situation.advice = portfolio(known, table.traits, table.fingerprint, ADVISED)
    for name, pairs in experience(known, methods, table.hardware).items():  # type: ignore[arg-type]
        if name in models:
            situation.learn(name, pairs)
    return situation, build_space(usable, seed)


def _task(table: Table) -> Task:
    """The task, of which no rows are needed; validation has a tenth as many as training."""
    traits, nothing = table.traits, Examples(table.traits.kind, (), ())
    rows = traits.examples // 10
    some = Examples(traits.kind, (("",),) * rows, (0,) * rows)
    classes = tuple(map(str, range(traits.classes)))
    return Task(
        table.name, traits.kind, traits.metric, classes, nothing, some, nothing,
        table.fingerprint, traits,
    )  # fmt: skip


def usable_rows(table: Table, situation: Situation, space: Space) -> dict[bytes, dict[float, Row]]:
    """The rows of recipes that this version can plan, by configuration and share of the data."""
    found: dict[bytes, dict[float, Row]] = {}
    for row in table.rows:
        with contextlib.suppress(ValueError, KeyError):
            if situation.oracle.composition(row.candidate).legal:
                name = key(space.configuration(row.candidate))
                found.setdefault(name, {})[row.fidelity] = row
    return found
