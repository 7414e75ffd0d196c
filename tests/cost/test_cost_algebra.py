"""Costs as an algebra: methods transform work, and some laws hold whatever they are."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import reduce

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapes import BAG, LAPTOP, TASK, encoder

from effauto.checks.samples import places
from effauto.checks.samples import settings as settings_of
from effauto.composition import order
from effauto.cost import estimate
from effauto.cost.flops import layers_attention, layers_linear, train_flops, train_head
from effauto.cost.memory import train_tensors
from effauto.plugins import load_plugins
from effauto.workload import Workload

METHODS = load_plugins().methods()
SPENT = ("train.time", "train.flops", "train.memory", "train.energy", "train.labels")
shares = st.floats(0, 1)


@st.composite
def recipes(draw):
    """A workload, and methods that fit it, in their order, each with one of its settings."""
    task, model = draw(st.sampled_from(list(places())))
    fitting = [name for name, method in sorted(METHODS.items()) if method.fits(task, model)]
    names = draw(st.lists(st.sampled_from(fitting), unique=True, max_size=5))
    ordered, _, cycles = order(METHODS[name] for name in names)
    assume(not cycles)
    steps = [(method, draw(st.sampled_from(list(settings_of(method))))) for method in ordered]
    return Workload.untouched(task, model), steps


def fold(work, steps):
    return reduce(lambda changed, step: step[0].cost(changed, step[1]), steps, work)


def numbers(work):
    return [getattr(work, field.name) for field in fields(work) if field.type == "float"]


@given(recipes(), shares)
@settings(deadline=None)
def test_steps_folded_in_two_groups_give_the_same(drawn, share):
    work, steps = drawn
    cut = round(share * len(steps))
    assert fold(fold(work, steps[:cut]), steps[cut:]) == fold(work, steps)


@given(recipes())
@settings(deadline=None)
def test_nothing_costs_less_than_nothing(drawn):
    work = fold(*drawn)
    assert min(map(min, map(numbers, (work, *work.before)))) >= 0
    for name, figure in estimate(work, LAPTOP).items():
        assert 0 <= figure.low <= figure.value <= figure.high, name


@given(recipes())
@settings(deadline=None)
def test_the_whole_is_its_own_share_and_no_step_changes_nothing(drawn):
    work, steps = drawn
    assert fold(work, []) == work
    assert fold(work, steps).on_share(1.0) == fold(work, steps)


@given(recipes(), shares)
@settings(deadline=None)
def test_freezing_never_raises_the_operations_of_the_backward_pass(drawn, share):
    work = fold(*drawn)
    for field in ("weight_gradients", "backward_depth", "backward_passes"):
        frozen = replace(work, **{field: getattr(work, field) * share})
        assert train_flops(frozen) <= train_flops(work) * (1 + 1e-9)
    spared = replace(work, spared_flops=1e6 * share, spared_pair_flops=1e3 * share)
    unspared = replace(work, spared_flops=0.0, spared_pair_flops=0.0)
    assert 0 <= train_flops(spared) <= train_flops(unspared) * (1 + 1e-9)


@given(recipes())
@settings(deadline=None)
def test_half_the_layers_are_half_their_operations(drawn):
    work = replace(fold(*drawn), token_flops=0.0, adapter_parameters=0.0)
    work = replace(work, extra_train_flops=0.0, spared_flops=0.0, spared_pair_flops=0.0, before=())
    half = replace(work, layers=work.layers / 2)
    assert layers_linear(half, 7) == pytest.approx(layers_linear(work, 7) / 2)
    assert layers_attention(half, 7) == pytest.approx(layers_attention(work, 7) / 2)
    if work.family == "transformer":
        layers = train_flops(work) - train_head(work)
        assert train_flops(half) - train_head(half) == pytest.approx(layers / 2)


@given(recipes(), st.floats(1, 1000))
@settings(deadline=None)
def test_more_examples_are_never_cheaper(drawn, times):
    work = fold(*drawn)
    more = replace(work, examples=work.examples * times, labels=work.labels * times)
    less, more = estimate(work, LAPTOP), estimate(more, LAPTOP)
    for resource in SPENT:
        assert more[resource].value >= less[resource].value * (1 - 1e-9), resource


@given(shares, shares)
def test_shares_of_shares_multiply(one, other):
    for model in (encoder(), BAG):
        work = Workload.untouched(TASK, model)
        twice, once = work.on_share(one).on_share(other), work.on_share(one * other)
        assert numbers(twice) == pytest.approx(numbers(once))


def test_a_phase_of_training_hides_the_smaller():
    """Gradients are born while activations die, so they are never alive together."""
    work = Workload.untouched(TASK, encoder())
    tensors = train_tensors(work)
    apart = tensors.weights + tensors.optimizer
    assert tensors.peak == apart + max(tensors.activations, tensors.gradients + tensors.updating)
    one_by_one = replace(work, batch_size=1.0)
    assert train_tensors(one_by_one).peak < tensors.peak


def test_the_last_batch_is_a_step_though_it_is_not_full():
    whole = replace(Workload.untouched(TASK, encoder()), examples=64.0, batch_size=32.0)
    seconds = [
        estimate(replace(whole, examples=n), LAPTOP)["train.time"].value for n in (32, 33, 64, 65)
    ]
    one, begun, two, three = seconds
    assert begun - one > 0.05 * (two - one)  # the weights are read and updated once more
    assert three - two == pytest.approx(begun - one)
    small = replace(whole, examples=8.0)
    assert (
        estimate(small, LAPTOP)["train.time"]
        == estimate(replace(small, batch_size=8.0), LAPTOP)["train.time"]
    )
