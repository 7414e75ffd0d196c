"""The space: every draw a recipe with one method a slot, and back again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest
from sample_tasks import BAG, HARDWARE, NETWORK, TASK

from effauto.budget import parse_budget
from effauto.composition import compose
from effauto.cost import Place, Prices
from effauto.knobs import complete
from effauto.model.source import ModelSource
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.candidates.climbing import fitted, frugal
from effauto.planner.candidates.drawing import Draws
from effauto.planner.candidates.pool import excess, few, singles, usable_methods
from effauto.planner.candidates.space import build_space
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
        candidate = space.candidate(configuration)
        again = space.configuration(candidate)
        assert dict(again) == dict(configuration)
        assert space.candidate(again) == candidate


def test_no_draw_takes_a_slot_twice_or_has_a_wrong_setting(oracle, draws):
    space, drawn = draws
    for configuration in drawn:
        candidate = space.candidate(configuration)
        rules = {refusal.rule for refusal in oracle.composition(candidate).refusals}
        assert rules <= {"requires", "forbids", "order"}
        for step in candidate.recipe.steps:
            assert complete(oracle.methods[step.method].knobs, step.setting) == step.setting


def test_of_ten_thousand_draws_none_is_illegal_and_most_combine_few_methods(oracle, usable):
    drawn = Draws(build_space(usable, seed=0), oracle, seed=0)(10_000)
    space = build_space(usable, seed=0)
    counts = Counter()
    for model, names in map(space.chosen, drawn):
        assert oracle.composition(Candidate(model, Recipe.of(*sorted(names)))).legal
        counts[model, len(names)] += 1
    assert {model for model, _ in counts} == {"network", "bag-of-words"}
    sizes = [n for (model, n), times in counts.items() if model == "network" for _ in range(times)]
    assert 1 < fmean(sizes) < 4
    assert max(sizes) >= 5
    assert len({space.chosen(configuration) for configuration in drawn}) > 1000


def test_it_works_with_sixty_methods(oracle, usable):
    more = {}
    for method in usable["network"].values():
        name, slot = f"another-{method.name}", method.slot and f"another-{method.slot}"
        more[name] = type("Another", (type(method),), {"name": name, "slot": slot})()
    methods = dict(oracle.methods) | dict(sorted(more.items())[: 65 - len(usable["network"])])
    wide = replace(oracle, methods=methods)
    usable, _ = usable_methods(wide)
    assert len(usable["network"]) >= 60
    drawn = Draws(build_space(usable, seed=1), wide, seed=1)(1000)
    space = build_space(usable, seed=1)
    chosen = [space.chosen(configuration) for configuration in drawn]
    assert all(wide.composition(Candidate(m, Recipe.of(*sorted(n)))).legal for m, n in chosen)
    assert {name for _, names in chosen for name in names} >= set(more) & set(usable["network"])


def test_what_is_liked_is_drawn_more_often(usable):
    name = next(iter(usable["network"]))
    often, rarely = (
        sum(name in space.chosen(c)[1] for c in space.configspace.sample_configuration(2000))
        for space in (build_space(usable, 0, {name: 4.0}), build_space(usable, 0))
    )
    assert often > 1.5 * rarely


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


def test_a_way_of_training_is_made_to_keep_the_budget(oracle, usable):
    plain = Candidate("network")
    foretold = oracle.foretell(plain)
    starts = [c for c in singles(oracle, usable) if c.model == "network"]
    size = 0.6 * foretold["model.size"].value
    budget = parse_budget([f"model.size<={size} byte"])
    made = fitted(oracle, usable, budget, [plain, *starts])
    assert made
    for candidate in made:
        assert oracle.composition(candidate).legal
        assert oracle.foretell(candidate)["model.size"].value <= size
        assert oracle.trained_part(candidate).recipe.steps or candidate.recipe.steps
    later = [c for c in made if not oracle.trained_part(c).recipe.steps]
    assert later  # nothing is taken from a network that need only be compressed
    kept = parse_budget([f"model.size<={3 * foretold['model.size'].value} byte"])
    assert fitted(oracle, usable, kept, [plain]) == []


def test_what_was_found_of_the_same_methods_holds_with_other_settings(oracle, draws):
    space, drawn = draws
    for candidate in map(space.candidate, drawn):
        traits = oracle.models[candidate.model].traits
        anew = compose(candidate.recipe, oracle.methods, oracle.task, traits, oracle.hardware)
        assert oracle.composition(candidate) == anew
