"""What is tried first: much to be hoped for, little to be feared, in little time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measuring import measured

from effauto.budget import Limit, parse_budget
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import singles
from effauto.planner.knowledge.prior import Prior, logit, parts_of
from effauto.planner.results import Result
from effauto.planner.trials.promise import MENDED, Belief, Promise, _chance
from effauto.recipe import Recipe
from effauto.resources import Figure

PLAIN = Candidate("bag-of-words")
SIZES = st.floats(1e-3, 1e9)


@given(SIZES, st.floats(1.0, 5.0), SIZES, SIZES)
def test_the_chance_grows_with_the_limit(value, wide, one, other):
    foretold = Figure(value, "byte", value / wide, value * wide)
    chances = [_chance(Limit("model.size", most, "byte"), foretold) for most in (one, other)]
    assert all(0 <= chance <= 1 for chance in chances)
    assert (chances[0] - chances[1]) * (one - other) >= 0


def test_the_chance_is_even_at_the_limit_and_turned_where_more_is_better():
    foretold = Figure(100.0, "1/s", 50.0, 200.0)
    at_least = [Limit("inference.throughput", n, "1/s") for n in (10.0, 1000.0)]
    assert _chance(Limit("model.size", 100.0, "byte"), foretold) == pytest.approx(0.5)
    assert _chance(at_least[0], foretold) > 0.9 > 0.1 > _chance(at_least[1], foretold)
    free = Figure(0.0, "J", 0.0, 0.0)
    assert _chance(Limit("train.energy", 1.0, "J"), free) == 1.0


def test_before_anything_was_tried_what_is_quick_comes_first(situation):
    promise = Promise.after(situation(), [])
    assert promise.of(PLAIN, 1.0) == pytest.approx(10 * promise.of(PLAIN, 10.0))


@pytest.mark.usefixtures("more_methods")
def test_what_is_known_to_be_better_promises_more(strategy):
    made = strategy()
    known, (good, bad, *_) = made.situation, [c for c in singles_of(made) if c.recipe.steps]
    effects = {PLAIN.model: 0.0, part_of(good): 1.0, part_of(bad): -1.0}
    known.prior = replace(known.prior, effects=effects, trials=9, spread=0.2, exact={})
    promise = Promise.after(known, [measured(made, PLAIN, 1.0)])
    assert promise.gain(good) > 5 * promise.gain(bad) > 0


@pytest.mark.usefixtures("more_methods")
def test_what_was_bad_here_makes_its_kin_promise_less(strategy):
    """Whoever has the method that disappointed; of the rest nothing new is known."""
    made = strategy()
    first, second, *_ = [c for c in singles_of(made) if c.recipe.steps]
    both = Candidate(PLAIN.model, Recipe.of(str(first.recipe), str(second.recipe)))
    results = [measured(made, PLAIN, 1.0)]
    before = Promise.after(made.situation, results)
    after = Promise.after(made.situation, [*results, measured(made, first, 1.0, quality=0.5)])
    assert after.gain(first) < 0.1 * before.gain(first)
    assert after.gain(both) < before.gain(both)
    assert after.belief(first)[1] < before.belief(first)[1]


@given(st.lists(st.floats(0.02, 0.98), min_size=1, max_size=4), st.floats(0.1, 2.0))
def test_a_belief_comes_near_what_was_measured(qualities, spread):
    candidates = [Candidate("m", Recipe.of(f"method-{n}")) for n in range(len(qualities))]
    prior = Prior({}, spread, 1.7, 1.2, {}, 0, {})
    results = [known(c, quality) for c, quality in zip(candidates, qualities, strict=True)]
    belief = Belief.of(prior, results, "accuracy")
    for candidate, quality in zip(candidates, qualities, strict=True):
        mean, deviation = belief(candidate)
        assert 0 < deviation < 0.2
        assert abs(mean - logit(quality)) < 0.2
    assert belief(Candidate("other", Recipe()))[1] >= 0.5


def known(candidate, quality):
    figures = {"quality.accuracy": Figure(quality, "1", quality, quality, "measured")}
    return Result(candidate, 1.0, 0, figures, {}, {})


def part_of(candidate):
    return parts_of(candidate)[-1]


def test_what_is_foretold_to_break_a_limit_promises_less(strategy, tiny_model):
    """Unless it is a training, which something can be done with afterwards."""
    made = strategy(model=tiny_model)
    oracle, model = made.situation.oracle, str(tiny_model)
    plain = Candidate(model)
    size = oracle.foretell(plain)["model.size"].value
    bound = parse_budget((f"model.size<={size / 10:.0f} byte",))
    made.situation.request = replace(made.situation.request, budget=bound)
    promise = Promise.after(made.situation, [])
    assert promise.of(PLAIN, 1.0) > 0.99
    assert promise.of(plain, 1.0) == MENDED
    frozen = [c for c in singles_of(made) if c.model == model and not trains(made, c)]
    assert frozen
    assert all(promise.of(candidate, 1.0) < MENDED for candidate in frozen)


def test_where_size_is_weighed_what_is_small_promises_more(strategy, tiny_model):
    """As good as the best, and smaller, is worth nothing to quality and much to the front."""
    made = strategy(model=tiny_model)
    situation, model = made.situation, str(tiny_model)
    results = [measured(made, Candidate(model), 1.0)]
    smaller = next(c for c in singles_of(made) if c.model == model and halves(made, c))
    for_quality = Promise.after(situation, results)
    situation.request = replace(situation.request, pareto=("model.size",))
    for_both = Promise.after(situation, results)
    certain = [
        replace(p, belief=lambda c, best=p.best: (best, 1e-6)) for p in (for_quality, for_both)
    ]
    assert certain[0].gain(smaller) < 1e-5 < certain[1].gain(smaller)
    assert certain[1].gain(Candidate(model)) < certain[1].gain(smaller)


def halves(made, candidate):
    sizes = [
        made.situation.oracle.foretell(c)["model.size"].value
        for c in (candidate, Candidate(candidate.model))
    ]
    return sizes[0] < 0.7 * sizes[1]


def singles_of(made):
    return singles(made.situation.oracle, made.situation.usable)


def trains(made, candidate):
    return made.situation.oracle.work(candidate).backward_passes > 0
