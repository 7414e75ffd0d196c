"""The space: every draw a recipe with one method a slot, and back again."""

from __future__ import annotations

import pytest
from sample_tasks import BAG, HARDWARE, NETWORK, TASK

from effauto.budget import parse_budget
from effauto.cost import Place, Prices
from effauto.knobs import complete
from effauto.model.source import ModelSource
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.pool import excess, few, frugal, singles, usable_methods
from effauto.planner.space import build_space, to_options
from effauto.plugins import load_plugins
from effauto.recipe import Recipe


@pytest.fixture(scope="module")
def oracle():
    models = {model.name: ModelSource(model.name, model) for model in (NETWORK, BAG)}
    return Oracle(TASK, models, load_plugins().methods(), HARDWARE, Prices(), Place())


@pytest.fixture(scope="module")
def usable(oracle):
    return usable_methods(oracle)[0]


@pytest.fixture(scope="module")
def draws(oracle, usable):
    space = build_space(usable, seed=0)
    return space, list(space.configspace.sample_configuration(300))


def test_a_draw_and_its_candidate_are_the_same_thing(oracle, draws):
    space, drawn = draws
    for configuration in drawn:
        candidate = to_options(space.candidate(configuration), oracle.methods)
        again = space.configuration(candidate)
        assert dict(again) == dict(configuration)
        assert to_options(space.candidate(again), oracle.methods) == candidate


def test_no_draw_takes_a_slot_twice_or_has_a_wrong_setting(oracle, draws):
    space, drawn = draws
    for configuration in drawn:
        candidate = to_options(space.candidate(configuration), oracle.methods)
        rules = {refusal.rule for refusal in oracle.composition(candidate).refusals}
        assert rules <= {"requires", "forbids", "order"}
        for step in candidate.recipe.steps:
            assert complete(oracle.methods[step.method].knobs, step.setting) == step.setting


def test_most_draws_are_legal_and_all_models_are_drawn(oracle, draws):
    space, drawn = draws
    candidates = [to_options(space.candidate(c), oracle.methods) for c in drawn]
    assert {candidate.model for candidate in candidates} == {"network", "bag-of-words"}
    legal = [oracle.composition(candidate).legal for candidate in candidates]
    assert sum(legal) > 0.3 * len(legal)
    assert Candidate("bag-of-words") in candidates


def test_draws_follow_from_the_seed(usable):
    one, two, other = (
        build_space(usable, seed).configspace.sample_configuration(5) for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_what_lies_outside_is_refused(usable):
    space = build_space(usable, 0)
    with pytest.raises(ValueError, match="magic cannot be used here"):
        space.configuration(Candidate("network", Recipe.of("magic")))


def test_the_pool_is_legal_and_distinct(oracle, usable):
    pool = few(oracle, usable)
    assert len(pool) == len(set(pool))
    assert all(oracle.composition(candidate).legal for candidate in pool)
    assert {Candidate("network"), Candidate("bag-of-words")} <= set(pool)
    assert set(singles(oracle, usable)) <= set(pool)


def test_the_frugal_come_nearer_to_the_budget(oracle, usable):
    budget = parse_budget(["model.size<=1MiB", "inference.latency<=1us"])
    starts = few(oracle, usable)

    def missed(candidates):
        ours = [c for c in candidates if c.model == "network"]
        return min(excess(oracle.foretell(c), budget) for c in ours)

    ends = frugal(oracle, usable, budget, starts)
    assert all(oracle.composition(candidate).legal for candidate in ends)
    assert missed(ends) <= missed(starts)


def test_methods_that_can_act_on_no_model_are_ruled_out_with_a_reason(oracle):
    usable, ruled_out = usable_methods(oracle)
    for refusal in ruled_out:
        assert refusal.sentence.startswith(refusal.method)
        assert all(refusal.method not in known for known in usable.values())
    tried = {name for known in usable.values() for name in known}
    assert tried | {refusal.method for refusal in ruled_out} == set(oracle.methods)
