"""The answer from trying candidates until the clock, the trials or the user say stop."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from effauto.errors import Interrupted, StoreError
from effauto.listener import Listener
from effauto.planner.answers.bought import unmeasured
from effauto.planner.answers.chosen import best_of, chosen
from effauto.planner.answers.plan import Plan
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.drawing import liking
from effauto.planner.candidates.space import build_space
from effauto.planner.clock import Clock
from effauto.planner.situation import Situation
from effauto.planner.trials.opening import opening
from effauto.planner.trials.sizing import Trial
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.study import begin_study
from effauto.planner.trials.trying import Trying
from effauto.store import Store

# The last part of a search, in which the best recipe is tried without each of its methods.
EXPLAINING = 0.1


def searched(
    situation: Situation,
    pool: Sequence[Candidate],
    store: Store,
    clock: Clock,
    listener: Listener,
) -> Plan:
    """Try candidates in worker processes; choose from what was measured, also when interrupted."""
    request = situation.request
    portfolio, led = _beginning(situation, pool)
    if situation.whole_budget.of_phases("guard").to_json():  # others are compared to the baseline
        portfolio.sort(key=lambda candidate: candidate != situation.untouched)
    space = build_space(situation.searched, request.seed, liking(situation))
    strategy = Strategy(situation, space, portfolio, request.seed, led)
    study = begin_study(situation, store, strategy, clock, listener)
    trying = Trying(strategy, store, study, clock, listener)
    interrupted = False
    try:
        trying.all_of(lambda time_left: _next(strategy, time_left))
    except (KeyboardInterrupt, Interrupted):
        interrupted = True
    except BaseException:
        with contextlib.suppress(StoreError):
            store.finish_study(study, "failed", clock.seconds)
        raise
    store.finish_study(study, "interrupted" if interrupted else "finished", clock.seconds)
    return chosen(situation, strategy.results, pool, trying.spent(), interrupted=interrupted)


def _beginning(
    situation: Situation, pool: Sequence[Candidate]
) -> tuple[list[Candidate], frozenset[Candidate]]:
    """What to try first, and which of that only earlier trials advise."""
    if situation.request.recipe is not None:
        return list(pool), frozenset()
    return opening(situation, pool)


def _next(strategy: Strategy, time_left: float) -> Trial | None:
    """In the end, what tells what each method bought; before, what promises to be better."""
    last = time_left < EXPLAINING * strategy.situation.request.search_time
    first = _explaining(strategy, time_left) if last else None
    return first or strategy.next(time_left) or _explaining(strategy, time_left)


def _explaining(strategy: Strategy, time_left: float) -> Trial | None:
    """The best so far without one of its methods, on the same data."""
    best = best_of(strategy.situation, strategy.results)
    if best is None or strategy.situation.request.recipe is not None:
        return None
    missing = unmeasured(strategy.situation, best.candidate, strategy.results, best.fidelity)
    for candidate in missing:
        seconds = strategy.seconds(candidate, best.fidelity)
        open_ = candidate.key not in strategy.pending and candidate.key not in strategy.failed
        if open_ and seconds <= 0.9 * time_left:
            return Trial(candidate, best.fidelity, seconds)
    return None
