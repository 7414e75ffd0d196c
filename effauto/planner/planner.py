"""Make a plan: understand, rule out, foretell, know, search, choose, remember."""

from __future__ import annotations

import math
from dataclasses import replace

from effauto.cost.account import Tariff
from effauto.listener import Listener
from effauto.planner.answers.instant import instant
from effauto.planner.answers.plan import Plan
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.climbing import fitted, frugal, stretched
from effauto.planner.candidates.pool import excess, few, legal_ones
from effauto.planner.clock import Clock
from effauto.planner.request import Request
from effauto.planner.situation import Situation, understand
from effauto.plugins import Plugins
from effauto.recipe import Recipe
from effauto.store import open_store

# Of the ways to train a model so many of the best known, and of the swiftest, are made to keep the
# budget.
WAYS = 5


def make_plan(request: Request, plugins: Plugins, listener: Listener | None = None) -> Plan:
    """Answer the request; the search keeps to its clock, which starts now.

    A plan whose ``status`` is ``infeasible`` names the limits that bind; an ``interrupted`` one is
    the best so far. Raises InputError for what cannot be read, StoreError for the database.
    """
    listener = listener or Listener()
    found = _planned(request, plugins, listener)
    listener.planned(found)
    return found


def _planned(request: Request, plugins: Plugins, listener: Listener) -> Plan:
    clock = Clock(request.search_time)
    store = open_store(request.store)
    try:
        situation = understand(request, plugins, store)
        clock.limit = min(request.search_time, affordable(situation))
        situation.request = replace(situation.request, search_time=clock.limit)
        pool = _pool(situation)
        if request.search_time <= 0 or _hopeless(situation, pool):
            return instant(situation, pool)
        from effauto.planner.trials.searched import searched

        return searched(situation, pool, store, clock, listener)
    finally:
        store.close()


def affordable(situation: Situation) -> float:
    """The seconds of this machine that the limit on the search's cost pays for."""
    money, request = situation.request.budget.limit_on("search.cost"), situation.request
    if money is None:
        return math.inf
    second = Tariff(situation.hardware, request.prices, request.place).spent(0.0, 1.0)
    return money / second.money if second.money else math.inf


def _pool(situation: Situation) -> list[Candidate]:
    """What is weighed before anything is tried: the recipe that was given, or all simple ones."""
    oracle, request = situation.oracle, situation.request
    if request.recipe is not None:
        given = Candidate(request.model, request.recipe)
        oracle.composition(given).require_legal()
        return [given]
    budget, prior = situation.budget, situation.prior

    def rank(candidate: Candidate) -> tuple[float, ...]:
        foretold = oracle.foretell(candidate)
        return (
            *excess(foretold, budget),
            -prior.gain(candidate),
            foretold["train.time"].value,
        )

    pool, usable = few(oracle, situation.usable, rank), situation.usable
    made = fitted(oracle, usable, budget, _ways_to_train(situation))
    made += stretched(oracle, usable, budget)
    return list(dict.fromkeys([*pool, *made, *frugal(oracle, usable, budget, pool)]))


def _ways_to_train(situation: Situation) -> list[Candidate]:
    """Of each model a few ways to train the whole network: the best known, then the swiftest."""
    oracle, prior = situation.oracle, situation.prior
    found: list[Candidate] = []
    for model, methods in situation.usable.items():
        ours = [Candidate(model, Recipe.of(n)) for n, m in methods.items() if m.stage == "finetune"]
        seconds = {c: oracle.foretell(c)["train.time"].value for c in legal_ones(oracle, ours)}
        known = sorted(seconds, key=lambda c: (-prior.sure_gain(c), seconds[c]))
        found += dict.fromkeys([*known[:WAYS], *sorted(seconds, key=seconds.__getitem__)[:WAYS]])
    return found


def _hopeless(situation: Situation, pool: list[Candidate]) -> bool:
    """Whether every candidate breaks a limit even at the kind end of what is foretold."""
    oracle, budget = situation.oracle, situation.budget
    return all(budget.surely_broken(oracle.foretell(candidate)) for candidate in pool)
