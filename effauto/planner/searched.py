"""The answer from trying candidates until the clock, the trials or the user say stop."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Sequence
from typing import Any

from effauto.errors import EffautoError, Interrupted, StoreError
from effauto.execution.pool import Worker
from effauto.planner.candidate import Candidate
from effauto.planner.chosen import best_of, chosen
from effauto.planner.clock import Clock
from effauto.planner.listener import Listener
from effauto.planner.loyalty import LOYALTY, compare
from effauto.planner.opening import opening
from effauto.planner.plan import Plan
from effauto.planner.situation import Situation
from effauto.planner.space import build_space
from effauto.planner.strategy import Strategy
from effauto.planner.study import begin_study, work_folder
from effauto.planner.trials import Trials
from effauto.store import Store


def searched(
    situation: Situation,
    pool: Sequence[Candidate],
    store: Store,
    clock: Clock,
    listener: Listener,
) -> Plan:
    """Try candidates in a worker process; choose from what was measured, also when interrupted."""
    request = situation.request
    portfolio = opening(situation, pool) if request.recipe is None else list(pool)
    if situation.whole_budget.of_phases("guard").to_json():  # others are compared to the baseline
        portfolio.sort(key=lambda candidate: candidate != situation.untouched)
    space = build_space(situation.usable, request.seed)
    strategy = Strategy(situation, space, portfolio, request.seed)
    study = begin_study(situation, store, strategy, clock, listener)
    interrupted = False
    try:
        _try_out(strategy, store, study, clock, listener)
    except (KeyboardInterrupt, Interrupted):
        interrupted = True
    except BaseException:
        with contextlib.suppress(StoreError):
            store.finish_study(study, "failed", clock.seconds)
        raise
    store.finish_study(study, "interrupted" if interrupted else "finished", clock.seconds)
    spent = _spent(strategy, study, clock)
    return chosen(situation, strategy.results, pool, spent, interrupted=interrupted)


def _try_out(
    strategy: Strategy, store: Store, study: int, clock: Clock, listener: Listener
) -> None:
    situation = strategy.situation
    folder = work_folder(situation.request)
    families = {source.traits.family for source in situation.oracle.models.values()}
    try:
        with Worker(families) as worker:
            worker.start()
            trials = Trials(situation, store, study, worker, folder)
            while clock.left > 0 and not _exhausted(strategy):
                if not _try_next(strategy, trials, clock, listener):
                    break
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exhausted(strategy: Strategy) -> bool:
    """Whether the search may run no more trials, or has used up its energy."""
    request = strategy.situation.request
    joules = request.budget.limit_on("search.energy") or math.inf
    return _tried(strategy) >= (request.max_trials or math.inf) or _joules(strategy) >= joules


def _try_next(strategy: Strategy, trials: Trials, clock: Clock, listener: Listener) -> bool:
    """Run one more trial, or return False if none can end in time."""
    situation = strategy.situation
    trial = strategy.next(clock.left)
    if trial is None:
        return False
    listener.started(_tried(strategy) + 1, trial.candidate, trial.fidelity, trial.seconds)
    seed = situation.request.seed
    try:
        result = trials.run(trial.candidate, trial.fidelity, seed, clock.left, listener.progress)
    except (StoreError, Interrupted):
        raise
    except EffautoError as error:
        strategy.tell_failure(trial.candidate, trial.fidelity)
        listener.failed(trial.candidate, str(error))
        return True
    for changed in compare([*strategy.results, result], situation.untouched):
        if changed.trial is not None:
            trials.store.add_measured(changed.trial, {LOYALTY: changed.measured[LOYALTY]})
    strategy.tell(result)
    best = best_of(situation, strategy.results)
    listener.ended(result, best, clock.left)
    return True


def _tried(strategy: Strategy) -> int:
    return len(strategy.results) + sum(strategy.failed.values())


def _joules(strategy: Strategy) -> float:
    measured = (result.measured.get("train.energy") for result in strategy.results)
    return sum(figure.value for figure in measured if figure)


def _spent(strategy: Strategy, study: int, clock: Clock) -> dict[str, Any]:
    return {
        "study": study,
        "trials": _tried(strategy),
        "failed": sum(strategy.failed.values()),
        "seconds": clock.seconds,
        "energy": _joules(strategy),
    }
