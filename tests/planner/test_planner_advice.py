"""Advice of earlier trials: what covers the tasks like this one, and when not to follow it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_tasks import TASK
from test_planner_prior import record
from test_planner_strategy import measured

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import build_space
from effauto.planner.knowledge.advice import misleads, portfolio
from effauto.planner.knowledge.prior import learn_prior
from effauto.planner.trials.opening import advised, in_order, plain
from effauto.planner.trials.portfolio import UNPROVEN
from effauto.planner.trials.strategy import Strategy
from effauto.recipe import Recipe

FAR = replace(TASK, kind="token-classification")


def network(*methods):
    return Candidate("network", Recipe.of(*methods))


def test_the_first_is_good_on_most_tasks_and_the_next_on_the_rest():
    records = [
        record(task, quality, *methods)
        for task, found in (
            ("a", {("one",): 0.9, ("two",): 0.5, ("both",): 0.8}),
            ("b", {("one",): 0.9, ("two",): 0.5, ("both",): 0.8}),
            ("c", {("one",): 0.4, ("two",): 0.9, ("both",): 0.6}),
        )
        for methods, quality in found.items()
    ]
    assert portfolio(records, TASK, "mine", 2) == [network("one"), network("two")]
    assert len(portfolio(records, TASK, "mine", 9)) == 3


def test_tasks_like_this_one_are_covered_first():
    near = [record("a", 0.9, "one"), record("a", 0.5, "two")]
    far = [record(t, q, m, traits=FAR) for t in "xyz" for m, q in (("one", 0.5), ("two", 0.9))]
    assert portfolio([*far, *near], TASK, "mine", 1) == [network("one")]


def test_this_task_s_own_test_split_advises_nothing():
    assert portfolio([record("mine", 0.9, "one", purpose="run")], TASK, "mine", 3) == []


@pytest.fixture
def begun(situation):
    """A strategy with a history of its own, and the quality that recipes have here."""

    def begun(history, seconds=100.0):
        known = situation()
        known.request = replace(known.request, search_time=seconds)
        traits = known.task.traits
        records = [
            replace(record(task, quality, *methods, traits=traits), model=known_model(known))
            for task, found in history.items()
            for methods, quality in found.items()
        ]
        methods = known.oracle.methods
        known.prior = learn_prior(records, traits, known.task.fingerprint, methods)
        known.advice = portfolio(records, traits, known.task.fingerprint, 9)
        pool = few(known.oracle, known.usable)
        first = plain(known, pool)
        led = advised(known, pool, first)
        space = build_space(known.usable, 0)
        return Strategy(known, space, in_order(known, [*first, *led]), 0, frozenset(led))

    return begun


def known_model(situation):
    return situation.oracle.models["bag-of-words"].traits


def spent_on_advice(made, quality, seconds=100.0):
    """Run a search against a clock of its own; the seconds that advised recipes took."""
    left, spent = seconds, 0.0
    while (trial := made.next(left)) is not None and left > 0:
        left -= trial.seconds
        spent += trial.seconds * (trial.candidate in made.opening.advised)
        made.tell(measured(made, trial.candidate, trial.fidelity, quality(trial.candidate)))
        if len(made.results) > 25:
            break
    return spent


def subset(share):
    return Recipe.from_settings({"random-subset": {"share": share}})


def test_misleading_history_costs_little(begun):
    """Everywhere else less data were better; here they are much worse."""
    history = {t: {(): 0.6, ("random-subset",): 0.95, ("near-dedup",): 0.5} for t in "abc"}
    made = begun(history)
    assert made.opening.advised
    assert made.situation.prior.gain(Candidate("bag-of-words", subset(0.5))) > 0.5

    def quality(candidate):
        return 0.5 if "random-subset" in candidate.recipe.settings else 0.9

    spent_on_advice(made, quality)
    assert misleads(made.situation.prior, made.results, "accuracy")
    short = begun(history, seconds=4.0)  # in which all of the advice would take twice the part
    assert spent_on_advice(short, quality, seconds=4.0) <= UNPROVEN * 4.0


def test_history_that_holds_is_followed(begun):
    history = {t: {(): 0.6, ("random-subset",): 0.95, ("near-dedup",): 0.5} for t in "abc"}
    made = begun(history)

    def quality(candidate):
        return 0.95 if "random-subset" in candidate.recipe.settings else 0.6

    spent_on_advice(made, quality)
    assert not misleads(made.situation.prior, made.results, "accuracy")
    assert made.opening.proven(made.results) or not made.opening.candidates
