"""Measure what each method of a finished plan bought: leave one out, on the same data."""

from __future__ import annotations

from dataclasses import replace

from effauto.errors import PlanError
from effauto.listener import Listener
from effauto.planner.answers.ablation import Bought
from effauto.planner.answers.bought import bought, unmeasured
from effauto.planner.answers.plan import Plan
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.space import build_space
from effauto.planner.clock import Clock
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.sizing import RUNGS, Trial
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.study import begin_study, results_of
from effauto.planner.trials.trying import Trying
from effauto.plugins import Plugins
from effauto.store import Store, open_store

# Of the time there is, what foretold trials may fill.
SAFE = 0.8


def measure_bought(
    plan: Plan,
    plugins: Plugins,
    seconds: float,
    store: str | None = None,
    listener: Listener | None = None,
) -> Plan:
    """The plan, with what its methods bought measured as far as ``seconds`` allow.

    The recipe and each recipe with one method less are tried on the same share of the data: that
    of the plan's own search if its trials are in the store, else the largest that fits. Every
    trial is stored. Raises PlanError if the data have changed, and what a plan raises.
    """
    clock = Clock(seconds)
    database = open_store(store)
    try:
        request = Request(
            DataRequest.from_json(plan.data), plan.model, recipe=plan.recipe, search_time=seconds,
            seed=plan.seed, prices=plan.prices, place=plan.place, store=store,
            plugin_folders=tuple(plugins.folders),
        )  # fmt: skip
        situation = understand(request, plugins, database)
        if situation.task.fingerprint != plan.fingerprint:
            raise PlanError("the data have changed since the plan was made; make a new plan")
        situation.oracle.composition(Candidate(plan.model, plan.recipe)).require_legal()
        found = _measured(plan, situation, database, clock, listener or Listener())
        return replace(plan, bought=found)
    finally:
        database.close()


def _measured(
    plan: Plan,
    situation: Situation,
    store: Store,
    clock: Clock,
    listener: Listener,
) -> tuple[Bought, ...]:
    best = Candidate(plan.model, plan.recipe)
    strategy = Strategy(situation, build_space(situation.usable, plan.seed), [], plan.seed)
    for result in results_of(situation, store, plan.search.get("study")):
        strategy.tell(result)
    scale = _scale(plan, strategy, best, clock.left)

    def next_trial(time_left: float) -> Trial | None:
        for candidate in unmeasured(situation, best, strategy.results, scale):
            seconds = strategy.seconds(candidate, scale)
            open_ = candidate.key not in strategy.pending and candidate.key not in strategy.failed
            if open_ and seconds <= time_left:
                return Trial(candidate, scale, seconds)
        return None

    study = begin_study(situation, store, strategy, clock, listener)
    Trying(strategy, store, study, clock, listener).all_of(next_trial)
    store.finish_study(study, "finished", clock.seconds)
    return bought(situation, best, strategy.results)


def _scale(plan: Plan, strategy: Strategy, best: Candidate, seconds: float) -> float:
    """The largest share of the data, the plan's own first, on which all that is missing fits."""
    scales = [plan.fidelity, *RUNGS] if plan.fidelity else list(RUNGS)
    for scale in scales:
        missing = unmeasured(strategy.situation, best, strategy.results, scale)
        if sum(strategy.seconds(candidate, scale) for candidate in missing) <= SAFE * seconds:
            return scale
    return scales[-1]
