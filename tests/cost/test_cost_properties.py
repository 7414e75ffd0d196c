"""What must hold of every estimate, whatever the work and the machine."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import BAG, LAPTOP, LINEAR, T4, WORK, encoder

from effauto.cost import Place, Prices, estimate
from effauto.cost.memory import CUDA_TRAINING, as_kept, train_peak
from effauto.hardware import profiles
from effauto.resources import RESOURCES
from effauto.traits import TaskTraits
from effauto.workload import Workload

PRICES = Prices(hour=0.5, kwh=0.3, label=0.02, currency="EUR")
shares = st.floats(0, 1)
machines = st.sampled_from(list(profiles().values()))
growth = st.floats(1, 100)


@st.composite
def tasks(draw):
    mean = draw(st.floats(1, 300))
    return TaskTraits(
        kind=draw(
            st.sampled_from(["text-classification", "pair-classification", "token-classification"])
        ),
        metric="accuracy",
        examples=draw(st.integers(1, 10**7)),
        classes=draw(st.integers(2, 1000)),
        tokens_mean=mean,
        tokens_p95=2 * mean,
        tokens_max=4 * mean,
    )


@st.composite
def works(draw):
    layers, width = draw(st.integers(1, 48)), draw(st.sampled_from([64, 384, 768, 4096]))
    model = draw(st.sampled_from([BAG, encoder(layers, width)]))
    work = Workload.untouched(draw(tasks()), model)
    if model is BAG:
        return work
    return replace(
        work,
        backward_depth=draw(shares),
        weight_gradients=draw(shares),
        backward_passes=draw(st.floats(0, 10)),
        trainable_parameters=work.parameters * draw(shares),
        batch_size=draw(st.integers(1, 256)),
        layer_bits=draw(st.sampled_from([4.0, 8.0, 16.0, 32.0])),
        density=draw(shares),
        compute=draw(st.sampled_from(["float32", "bfloat16", "int8"])),
        dispatches=draw(shares),
    )


MEASURED = ("search.", "guard.", "life.")  # or made of other figures elsewhere


@given(works(), machines)
def test_every_resource_has_a_figure_with_a_range(work, machine):
    figures = estimate(work, machine, prices=PRICES, place=Place("FRA"))
    assert set(figures) == {name for name in RESOURCES if not name.startswith(MEASURED)}
    for name, figure in figures.items():
        assert 0 <= figure.low <= figure.value <= figure.high, name
        assert figure.unit == ("EUR" if name == "train.cost" else RESOURCES[name].unit)


@pytest.mark.parametrize("field", ["examples", "train_tokens", "forward_passes", "backward_passes"])
@given(work=works(), machine=machines, times=growth)
def test_more_training_is_never_cheaper(field, work, machine, times):
    more = replace(work, **{field: getattr(work, field) * times})
    less, more = estimate(work, machine), estimate(more, machine)
    for resource in ("train.time", "train.flops", "train.energy", "train.carbon"):
        assert more[resource].value >= less[resource].value * (1 - 1e-9)


@given(works(), machines, growth)
def test_longer_inputs_are_never_cheaper(work, machine, times):
    longer = replace(
        work,
        request_tokens=work.request_tokens * times,
        train_tokens=work.train_tokens * times,
        longest_tokens=work.longest_tokens * times,
    )
    less, more = estimate(work, machine), estimate(longer, machine)
    for resource in ("inference.latency", "inference.flops", "inference.memory", "train.memory"):
        assert more[resource].value >= less[resource].value * (1 - 1e-9)
    assert more["inference.throughput"].value <= less["inference.throughput"].value * (1 + 1e-9)


@given(works(), shares)
def test_freezing_never_adds_operations(work, share):
    flops = estimate(work, LAPTOP)["train.flops"].value
    for field in ("weight_gradients", "backward_passes", "backward_depth"):
        frozen = replace(work, **{field: getattr(work, field) * share})
        assert estimate(frozen, LAPTOP)["train.flops"].value <= flops * (1 + 1e-9)


@given(st.integers(1, 24), tasks())
def test_half_the_layers_are_half_the_operations(layers, task):
    half = replace(Workload.untouched(task, encoder(layers)), head_parameters=0)
    whole = replace(Workload.untouched(task, encoder(2 * layers)), head_parameters=0)
    for resource in ("train.flops", "inference.flops"):
        ratio = estimate(half, LAPTOP)[resource].value / estimate(whole, LAPTOP)[resource].value
        assert ratio == pytest.approx(0.5)


@given(works(), st.floats(0.01, 1))
def test_a_share_of_the_examples_is_that_share_of_the_operations(work, share):
    part, whole = estimate(work.on_share(share), LAPTOP), estimate(work, LAPTOP)
    assert part["train.flops"].value == pytest.approx(share * whole["train.flops"].value)
    # Batches that are not full are steps as well.
    assert part["train.time"].value <= whole["train.time"].value * (1 + 1e-9)


@given(works(), st.sampled_from([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), shares)
def test_fewer_bits_and_more_zeros_never_make_a_larger_file(work, bits, density):
    size = estimate(work, LAPTOP)["model.size"].value
    fewer = replace(work, layer_bits=min(bits, work.layer_bits))
    sparser = replace(work, density=work.density * density)
    assert estimate(fewer, LAPTOP)["model.size"].value <= size
    assert estimate(sparser, LAPTOP)["model.size"].value <= size


def test_zeros_are_packed_only_where_that_is_smaller():
    dense = estimate(WORK, LAPTOP)["model.size"].value
    barely = estimate(replace(WORK, density=0.99), LAPTOP)["model.size"].value
    half = estimate(replace(WORK, density=0.5), LAPTOP)["model.size"].value
    layers = WORK.layers * WORK.layer_matrices
    assert barely == dense
    assert dense - half == pytest.approx(layers * (32 - 17) / 8)


def test_int8_pays_only_where_the_machine_has_it():
    int8 = replace(WORK, compute="int8", request_tokens=120.0)
    plain = replace(WORK, request_tokens=120.0)
    laptop = estimate(int8, LAPTOP)["inference.throughput"].value
    assert laptop < 1.2 * estimate(plain, LAPTOP)["inference.throughput"].value
    with_vnni = profiles()["cloud-avx512"]
    fast = estimate(int8, with_vnni)["inference.throughput"].value
    assert fast > 1.7 * estimate(plain, with_vnni)["inference.throughput"].value


def test_a_frozen_body_keeps_its_features():
    frozen = replace(WORK, backward_passes=0.0, trainable_parameters=0.0)
    more = replace(frozen, examples=frozen.examples * 100)
    grown = estimate(more, T4)["train.memory"].value - estimate(frozen, T4)["train.memory"].value
    assert grown == pytest.approx(CUDA_TRAINING.value * 99 * frozen.examples * frozen.width * 4)


def test_a_gpu_keeps_a_byte_of_a_mask_and_no_scores():
    dropping = replace(WORK, mask_units=4.0, pair_numbers=2.0)
    kept = replace(dropping, mask_units=1.0, pair_numbers=0.0)
    teacher = replace(dropping, before=(dropping,))
    assert as_kept(teacher, "cuda") == replace(kept, before=(kept,))
    assert as_kept(teacher, "cpu") == teacher
    held = estimate(dropping, T4)["train.memory"].value
    assert held == pytest.approx(CUDA_TRAINING.value * train_peak(kept))
    assert held < CUDA_TRAINING.value * train_peak(dropping)


def test_no_price_no_cost():
    assert "train.cost" not in estimate(WORK, LAPTOP)


def test_tier_tells_whether_rates_were_measured():
    assert estimate(WORK, LAPTOP)["train.time"].tier == "closed-form"
    measured = replace(LAPTOP, calibrated=True)
    assert estimate(WORK, measured)["train.time"].tier == "calibrated"
    assert estimate(WORK, measured)["model.size"].tier == "closed-form"


def test_thousands_of_estimates_a_second():
    start, count = time.process_time(), 500
    for _ in range(count):
        estimate(WORK, LAPTOP)
        estimate(LINEAR, LAPTOP)
    assert 2 * count / (time.process_time() - start) > 5000


def test_weights_are_read_as_measured_else_at_a_share_of_memory():
    copying = LAPTOP.rates["memory"]
    slow, fast = (
        replace(LAPTOP, rates={**LAPTOP.rates, "weights": copying.scaled(share)})
        for share in (0.3, 0.9)
    )
    unmeasured, as_usual, faster = (
        estimate(WORK, machine)["inference.latency"].value for machine in (LAPTOP, slow, fast)
    )
    assert unmeasured == as_usual > faster
