"""Recipes: their order is derived, their legality decided before anything runs."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_tasks import HARDWARE, NETWORK, TASK

from effauto.composition import compose, order
from effauto.errors import IllegalRecipe, PlanError
from effauto.execution.job import TRAIN, Job
from effauto.execution.train import train
from effauto.knobs import Choice, Float, Int
from effauto.method import Method, Needs, Verdict
from effauto.recipe import Recipe


class Select(Method):
    name, summary, stage, slot = "select", "Keep some rows.", "data", "subset"


class Sample(Method):
    name, summary, stage, slot = "sample", "Keep other rows.", "data", "subset"
    knobs = {"share": Float(0.1, 1.0, default=0.5), "seed": Int(0, 9, default=0)}


class Sort(Method):
    name, summary, stage = "sort", "Order the rows.", "data"
    after = ("subset",)
    provides = frozenset({"ordered_examples"})


class Thin(Method):
    name, summary, stage = "thin", "Make weights zero.", "compress"
    requires = frozenset({"dense_weights", "float_weights"})
    removes = frozenset({"dense_weights"})


class Round(Method):
    name, summary, stage, slot = "round", "Use fewer bits.", "compress", "precision"
    requires = frozenset({"float_weights"})
    removes = frozenset({"float_weights", "eager_module"})
    knobs = {"bits": Choice((4, 8), default=8)}


class Merge(Method):
    name, summary, stage = "merge", "Fold something in.", "compress"
    before = ("precision",)
    requires = frozenset({"float_weights"})


class Freeze(Method):
    name, summary, stage = "freeze", "Learn without gradients.", "finetune"
    forbids = frozenset({"ordered_examples"})


class Fly(Method):
    name, summary, stage = "fly", "Needs wings.", "inference"
    needs = Needs(instructions=("avx512_vnni",))


class Tag(Method):
    name, summary, stage = "tag", "For tags only.", "finetune"

    def fits(self, task, model):
        return Verdict(f"tags words, and this is {task.kind}")


METHODS = {
    method.name: method
    for method in (
        Select(), Sample(), Sort(), Thin(), Round(), Merge(), Freeze(), Fly(), Tag()
    )
}  # fmt: skip
VALUES = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
RECIPES = st.dictionaries(
    st.text(min_size=1, max_size=10), st.dictionaries(st.text(max_size=9), VALUES, max_size=4)
).map(Recipe.from_settings)
JSON = st.recursive(
    st.none() | VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def composed(*names, **chosen):
    return compose(Recipe.of(*names, **chosen), METHODS, TASK, NETWORK, HARDWARE)


@given(st.permutations(sorted(METHODS)), st.integers(0, len(METHODS)))
def test_the_order_of_writing_means_nothing(names, count):
    names = names[:count]
    assert Recipe.of(*names) == Recipe.of(*sorted(names))
    assert composed(*names) == composed(*sorted(names))
    in_order, _, _ = order([METHODS[name] for name in names])
    assert in_order == order([METHODS[name] for name in sorted(names)])[0]


def test_a_legal_recipe_stays_legal_however_it_is_written():
    names = ("round", "sample", "sort", "merge")
    found = {
        (composed(*written).legal, tuple(m.name for m, _ in composed(*written).steps))
        for written in permutations(names)
    }
    assert found == {(True, ("sample", "sort", "merge", "round"))}


@given(RECIPES)
def test_a_recipe_survives_json_both_ways(recipe):
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert (again, again.key) == (recipe, recipe.key)


@given(JSON)
def test_what_is_no_recipe_is_a_plan_error(data):
    try:
        recipe = Recipe.from_json(data)
    except PlanError:
        return
    assert Recipe.from_json(recipe.to_json()) == recipe


@given(st.text())
@settings(max_examples=50)
def test_a_written_recipe_is_read_or_a_plan_error(text):
    try:
        recipe = Recipe.parse(text)
    except PlanError:
        return
    assert isinstance(recipe.key, str)


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("untouched", Recipe()),
        ("sort + thin", Recipe.of("sort", "thin")),
        ('[{"method": "round", "setting": {"bits": 4}}]', Recipe.of(round={"bits": 4})),
    ],
)
def test_recipes_may_be_written_by_hand(text, recipe):
    assert Recipe.parse(text) == recipe


REFUSALS = {
    "known": (Recipe.of("magic"), "there is no method 'magic'; see 'effauto methods list'"),
    "setting": (
        Recipe.of(sample={"share": 2}),
        "sample: share must lie between 0.1 and 1, not 2",
    ),
    "slot": (Recipe.of("select", "sample"), "sample and select both take the slot 'subset'"),
    "requires": (
        Recipe.of("round", "thin", "tag"),
        "thin requires float weights, which round takes away",
    ),
    "forbids": (
        Recipe.of("sort", "freeze"),
        "freeze does not go with ordered examples, which sort brings",
    ),
    "needs": (Recipe.of("fly"), "fly needs the CPU instructions avx512_vnni"),
    "fits": (Recipe.of("tag"), "tag tags words, and this is text-classification"),
}


@pytest.mark.parametrize(("rule", "recipe", "sentence"), [(k, *v) for k, v in REFUSALS.items()])
def test_each_refusal_is_one_sentence_that_names_the_rule(rule, recipe, sentence):
    composition = compose(recipe, METHODS, TASK, NETWORK, HARDWARE)
    assert not composition.legal
    refusal = next(r for r in composition.refusals if r.rule == rule)
    assert refusal.sentence == sentence
    with pytest.raises(IllegalRecipe, match=sentence.split("'")[0]):
        composition.require_legal()


def test_settings_are_completed_in_order():
    steps = composed("merge", round={"bits": 4}).steps
    assert [(method.name, setting) for method, setting in steps] == [
        ("merge", {}),
        ("round", {"bits": 4}),
    ]
    assert composed("round").steps[0][1] == {"bits": 8}


def test_the_order_is_told_with_its_reasons():
    assert composed("round", "merge", "sort", "select").reasons == (
        "select before sort: sort must follow subset",
        "sort before merge: data comes before compress",
        "merge before round: merge must precede precision",
    )


def test_facts_flow_along_the_order():
    composition = composed("sort", "thin")
    assert composition.facts == NETWORK.facts - {"dense_weights"} | {"ordered_examples"}


def circle():
    names = ("one", "two", "three")

    def made(name, following):
        return type(
            name.title(),
            (Method,),
            {"name": name, "summary": "Goes round.", "stage": "data", "before": (following,)},
        )()

    return {n: made(n, names[(i + 1) % 3]) for i, n in enumerate(names)}


def test_a_cycle_names_its_methods():
    composition = compose(Recipe.of("one", "two", "three"), circle(), TASK, NETWORK, HARDWARE)
    (refusal,) = composition.refusals
    assert refusal.rule == "order"
    assert {"one", "two", "three"} <= set(refusal.sentence.replace("→", " ").split())
    assert "each must come before the next" in refusal.sentence


@pytest.mark.parametrize("recipe", [recipe for recipe, _ in REFUSALS.values()], ids=REFUSALS)
def test_an_illegal_recipe_is_never_run(recipe, tmp_path):
    job = Job(
        TRAIN, Path("/nowhere"), "bag-of-words", recipe, TASK, ("a", "b", "c"), HARDWARE,
        tmp_path / "model", tmp_path / "cache",
    )  # fmt: skip
    with pytest.raises(IllegalRecipe):
        train(job, METHODS, lambda what, share: None)
    assert list(tmp_path.iterdir()) == []
