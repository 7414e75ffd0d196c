"""Searches over trials that were measured before, against a clock that ticks as these took.

effauto's own strategy chooses among the rows of a table; others propose anywhere in the space, and
get the nearest row that they have not had.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from ConfigSpace import Configuration
from replay_tables import Earlier, Row, Table, understood, usable_rows
from rivals import MAKERS
from yahpo import hypervolume

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import Space
from effauto.planner.engine.history import key
from effauto.planner.situation import Situation
from effauto.planner.trials.opening import opening
from effauto.planner.trials.sizing import LEAST_SLICE, SLICE, Sizing, Trial
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.trial import make_result


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

    def __post_init__(self, portfolio: list[Candidate], advised: frozenset[Candidate]) -> None:
        super().__post_init__(portfolio, advised)
        self.rows = usable_rows(self.table, self.situation, self.space)
        self.sizing = Recorded(
            self.situation, self.continuations.ready, self._shares, self.table.horizon
        )
        self.opening.sizing = self.sizing
        listed = [
            self.space.configuration(shares[1.0].candidate)
            for shares in self.rows.values()
            if 1.0 in shares
        ]
        search = self.surrogate.search
        ask = search.ask
        search.ask = partial(ask, among=listed)  # type: ignore[method-assign]

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
    order, led = opening(situation, few(situation.oracle, situation.usable))
    strategy = Replayed(situation, space, order, seed, led, table=table)
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
    return oracle.composition(space.candidate(asked)).legal


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
