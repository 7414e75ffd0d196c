"""Searches over trials that were measured before, against a clock that ticks as these took.

A table is one task on one machine: recipes with what was measured of each, on shares of the data.
effauto's own strategy chooses among its rows; others propose anywhere in the space, and get the
nearest row that they have not had.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration
from rivals import MAKERS
from yahpo import hypervolume

from effauto.budget import Budget, Limit
from effauto.cost import Place, Prices
from effauto.machine import Hardware
from effauto.model import ModelSource
from effauto.planner.advice import portfolio
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.engine.history import key
from effauto.planner.opening import advised, in_order, plain
from effauto.planner.pool import few, usable_methods
from effauto.planner.prior import learn_prior
from effauto.planner.request import Request
from effauto.planner.situation import ADVISED, Situation, experience
from effauto.planner.sizing import LEAST_SLICE, SLICE, Sizing, Trial
from effauto.planner.space import Space, build_space, to_options
from effauto.planner.strategy import Strategy
from effauto.planner.trials import make_result
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


@dataclass(frozen=True)
class Recorded(Sizing):
    """Sizes trials by the shares of the data that were measured."""

    shares: Callable[[Candidate], Mapping[float, Row]]
    horizon: float

    def sized(
        self,
        candidate: Candidate,
        time_left: float,
        *,
        share: float = SLICE,
        at_all: bool = False,
    ) -> Trial | None:
        """On as much data as is affordable, of what was measured."""
        allowed = min(max(LEAST_SLICE, share * self.horizon), 0.9 * time_left)
        least = None
        for fidelity in sorted(self.shares(candidate), reverse=True):
            least = Trial(candidate, fidelity, self.seconds(candidate, fidelity))
            if least.seconds <= allowed:
                return least
        return least if at_all and least and least.seconds <= 0.5 * time_left else None


@dataclass
class Replayed(Strategy):
    """effauto's strategy, which may choose no other than the table's rows."""

    table: Table = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rows = usable_rows(self.table, self.situation, self.space)
        self.sizing = Recorded(
            self.situation, self.continuations.ready, self._shares, self.table.horizon
        )
        listed = [
            self.space.configuration(shares[1.0].candidate)
            for shares in self.rows.values()
            if 1.0 in shares
        ]
        search = self.surrogate.search
        ask = search.ask
        search.ask = lambda admissible: ask(admissible, listed)  # type: ignore[method-assign,misc]

    def row(self, trial: Trial) -> Row | None:
        return self._shares(trial.candidate).get(trial.fidelity)

    def next(self, time_left: float) -> Trial | None:
        """As in a real search; what was never measured is passed over."""
        for _ in range(200):
            trial = super().next(time_left)
            if trial is None or self.row(trial) is not None:
                return trial
            self.failed[trial.candidate.key] = 1
        return None

    def _repeated(self, time_left: float) -> Trial | None:
        """Few rows were measured with several seeds, so none is repeated."""
        return None

    def _shares(self, candidate: Candidate) -> Mapping[float, Row]:
        return self.rows.get(key(self.space.configuration(candidate)), {})


@dataclass
class Log:
    """What a search had found, by the clock."""

    table: Table
    seconds: float = 0.0
    illegal: int = 0
    ended: list[tuple[float, Row]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.seconds += row.seconds
        self.ended.append((self.seconds, row))

    def to_json(self, marks: int = 20) -> dict[str, Any]:
        """Curves over the clock: what the best lacks to the table's best, and the hypervolume."""
        times = [self.table.horizon * (mark + 1) / marks for mark in range(marks)]
        done = [[row for end, row in self.ended if end <= time] for time in times]
        over = sum(not self.table.kept(row) for _, row in self.ended)
        return {
            "task": self.table.name,
            "lacks": [round(self._lacks(rows), 5) for rows in done],
            "volume": [round(self._volume(rows), 5) for rows in done],
            "trials": len(self.ended),
            "illegal": self.illegal,
            "over": over,
            "overshoot": round(max(0.0, self.seconds / self.table.horizon - 1), 4),
        }

    def _lacks(self, rows: Sequence[Row]) -> float:
        """To the best quality within the limits; all of it, while nothing within them is found."""
        kept = [self.table.quality(r) for r in rows if r.fidelity == 1 and self.table.kept(r)]
        return self.table.best - max(kept, default=0.0)

    def _volume(self, rows: Sequence[Row]) -> float:
        """Of error and latency, among those within the limits."""
        scale = self._points(self.table.whole.values())
        kept = [row for row in rows if row.fidelity == 1 and self.table.kept(row)]
        return hypervolume(self._points(kept), scale) if kept else 0.0

    def _points(self, rows: Iterable[Row]) -> Any:
        cost = self.table.limited[0]
        return np.array([[1 - self.table.quality(r), r.measured[cost].value] for r in rows])


def effauto(table: Table, known: Sequence[Earlier], seed: int) -> Log:
    """effauto's own search, with what is known of other tasks (nothing: a cold start)."""
    situation, space = understood(table, known, seed)
    pool = few(situation.oracle, situation.usable)
    first = plain(situation, pool)
    led = advised(situation, pool, first)
    order = in_order(situation, [*first, *led])
    strategy = Replayed(situation, space, order, seed, frozenset(led), table=table)
    log = Log(table)
    while log.seconds < table.horizon:
        trial = strategy.next(table.horizon - log.seconds)
        if trial is None:
            break
        row = strategy.row(trial)
        assert row is not None
        log.add(row)
        result = make_result(
            situation, trial.candidate, trial.fidelity, 0, dict(row.measured), None
        )
        strategy.tell(result)
    return log


def rival(table: Table, name: str, seed: int) -> Log:
    """Another's search: what it proposes is refused if illegal, else the nearest row is run."""
    situation, space = understood(table, [], seed)
    left = {
        name: (space.configuration(shares[1.0].candidate), shares[1.0])
        for name, shares in usable_rows(table, situation, space).items()
        if 1.0 in shares
    }
    log, limits = Log(table), {limit.resource: limit for limit in table.budget}
    searcher = MAKERS[name](space.configspace, seed, ("error",), table.limited, len(left))
    while log.seconds < table.horizon and left and log.illegal < 20 * len(table.rows):
        asked = searcher.ask()
        if asked is None or not _legal(asked, situation, space):
            log.illegal += 1
            searcher.tell(asked, [1.0], dict.fromkeys(limits, 1.0))
            continue
        _, row = left.pop(_nearest(asked, left))
        log.add(row)
        excess = {n: math.log(found.excess(row.measured[n].value)) for n, found in limits.items()}
        searcher.tell(asked, [1 - table.quality(row)], excess)
    return log


def _legal(asked: Configuration, situation: Situation, space: Space) -> bool:
    oracle = situation.oracle
    return oracle.composition(to_options(space.candidate(asked), oracle.methods)).legal


def expert(table: Table) -> Log:
    """What one does without a search: train the model as it is, then a bag of words."""
    log = Log(table)
    for candidate, row in table.whole.items():
        if not candidate.recipe.steps and table.models[candidate.model].family == "transformer":
            log.add(row)
    for candidate, row in table.whole.items():
        if not candidate.recipe.steps and table.models[candidate.model].family != "transformer":
            log.add(row)
    return log


def _nearest(asked: Configuration, left: Mapping[bytes, tuple[Configuration, Row]]) -> bytes:
    """By Gower's distance: columns that only one has, or differ in words, count in full."""
    point = asked.get_array()
    words = [hasattr(found, "choices") for found in asked.config_space.values()]

    def distance(name: bytes) -> float:
        other = left[name][0].get_array()
        apart = np.where(words, point != other, np.abs(point - other))
        one = np.isnan(point) != np.isnan(other)
        return float(np.where(one, 1.0, np.nan_to_num(apart)).sum())

    return min(left, key=distance)
