"""The work of the untouched recipe, and of recipes, read step by step."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_tasks import BAG, HARDWARE, NETWORK, TASK

from effauto.cost import Place, Prices
from effauto.errors import IllegalRecipe
from effauto.model.source import ModelSource
from effauto.planner.candidate import Candidate, Oracle
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.traits import TaskTraits
from effauto.workload import Workload

MODELS = {model.name: ModelSource(model.name, model) for model in (NETWORK, BAG)}
TASKS = st.builds(
    TaskTraits,
    st.sampled_from(["text-classification", "pair-classification", "token-classification"]),
    st.just("accuracy"),
    st.integers(20, 10**7),
    st.integers(2, 1000),
    st.floats(1, 500),
    st.floats(500, 600),
    st.floats(600, 10**5),
)


def numbers(work):
    return {
        field.name: getattr(work, field.name) for field in fields(work) if field.type == "float"
    }


@given(TASKS, st.sampled_from([NETWORK, BAG]))
def test_no_work_is_negative(task, model):
    work = Workload.untouched(task, model)
    assert min(numbers(work).values()) >= 0
    assert work.labels == task.examples
    assert work.parameters >= work.head_parameters > 0


@given(TASKS, st.sampled_from([NETWORK, BAG]), st.floats(0, 1))
def test_a_share_of_the_rows_keeps_all_else(task, model, share):
    whole = Workload.untouched(task, model)
    part = whole.on_share(share)
    assert (part.examples, part.labels) == (whole.examples * share, whole.labels * share)
    scaled = {"examples", "labels", "extra_train_flops", "host_seconds"}
    if model is BAG:
        vocabulary = {"head_parameters", "trainable_parameters", "folder_bytes"}
        assert all(getattr(part, name) <= getattr(whole, name) for name in vocabulary)
        scaled |= vocabulary
    kept = {name: value for name, value in numbers(whole).items() if name not in scaled}
    assert kept == {name: value for name, value in numbers(part).items() if name not in scaled}


@given(st.sampled_from(sorted(numbers(Workload.untouched(TASK, NETWORK)))), st.floats(0, 1e12))
def test_replacing_one_number_keeps_the_others(name, value):
    before = Workload.untouched(TASK, NETWORK)
    assert numbers(replace(before, **{name: value})) == numbers(before) | {name: value}


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_work_that_cannot_be_is_refused(value):
    with pytest.raises(ValueError, match="examples must not be negative"):
        replace(Workload.untouched(TASK, NETWORK), examples=value)


@pytest.fixture(scope="module")
def oracle():
    methods = load_plugins().methods()
    return Oracle(TASK, MODELS, methods, HARDWARE, Prices(), Place())


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_reading_the_steps_in_two_parts_gives_the_whole(oracle, data):
    names = data.draw(st.lists(st.sampled_from(sorted(oracle.methods)), unique=True, max_size=4))
    composition = oracle.composition(Candidate("network", Recipe.of(*names)))
    if not composition.legal:
        with pytest.raises(IllegalRecipe):
            composition.require_legal()
        return
    cut = data.draw(st.integers(0, len(composition.steps)))
    work = oracle.untouched["network"]
    for part in (composition.steps[:cut], composition.steps[cut:]):
        for method, setting in part:
            before = numbers(work)
            after = method.cost(work, setting)
            assert numbers(work) == before, f"{method.name} changed the work it was given"
            work = after
    assert work == oracle.work(Candidate("network", Recipe.of(*names)))
    assert min(numbers(work).values()) >= 0
