"""Figures from a trace: pure arithmetic on what was counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_tasks import HARDWARE, NETWORK, TASK

from effauto.cost import estimate
from effauto.cost.time import UPDATE_SLOWNESS
from effauto.cost.trace import Counted, Trace
from effauto.cost.traced import seconds_of, traced
from effauto.hardware.products import SAMPLES, Product
from effauto.workload import Workload

LAYER = Product("addmm", 1, 4096, 384, 1536, "float32")
SCORES = Product("attention", 384, 128, 32, 128, "float32")
STEP = Counted(
    flops=600 * LAYER.flops,
    peak_bytes=1e9,
    products={LAYER: 600},
    numbers={"pointwise": 4e8, "dropout": 6e7, "optimizer": 2e8, "layernorm_backward": 2e7},
    calls=2400,
    tokens=32 * 128,
)
REQUEST = Counted(LAYER.flops / 10, 1e8, {SCORES: 6}, {"gelu": 2e5}, 290, 16)
TRACE = Trace(
    STEP, REQUEST, replace(REQUEST, peak_bytes=2e8, tokens=512), 9e7, 2.2e7,
    epochs=3, batch_size=32,
)  # fmt: skip
WORK = replace(
    Workload.untouched(TASK, NETWORK),
    train_tokens=128.0,
    longest_tokens=128.0,
    request_tokens=16.0,
    request_padding=1.0,
)
TIMED = dict.fromkeys((LAYER, SCORES, *SAMPLES.values()), (0.001, 0.002, 0.004))


def test_counts_pass_through_where_nothing_was_left_out():
    figures = traced(TRACE, WORK, HARDWARE)
    steps = 3 * WORK.examples / 32
    assert figures["train.flops"].value == pytest.approx(STEP.flops * steps)
    assert figures["inference.flops"].value == pytest.approx(REQUEST.flops)
    assert figures["model.parameters"].value == pytest.approx(2.2e7)
    assert figures["model.size"].value == pytest.approx(9e7 + WORK.folder_bytes)
    assert figures["train.memory"].low > STEP.peak_bytes
    assert {figure.tier for figure in figures.values()} == {"traced"}


def test_times_are_calibrated_where_all_products_were_timed():
    figures = traced(TRACE, WORK, HARDWARE, timed=TIMED)
    assert figures["train.time"].tier == figures["inference.latency"].tier == "calibrated"
    assert figures["train.flops"].tier == "traced"
    without_one = {product: times for product, times in TIMED.items() if product != SCORES}
    assert traced(TRACE, WORK, HARDWARE, timed=without_one)["train.time"].tier == "traced"


def test_a_step_is_the_sum_of_its_parts():
    whole = seconds_of(STEP, HARDWARE, TIMED, calls=1.0)
    products = 600 * 2e-3
    touched = (4e8 + 6e7 + 2e7) / (4096 * 384) * 2e-3
    rest = UPDATE_SLOWNESS * 2e8 / 3e8 + 2400 / 2e5
    assert whole.value == pytest.approx(products + touched + rest)
    assert whole.low < whole.value < whole.high


def test_what_the_trace_left_out_is_taken_from_the_closed_form():
    smaller = replace(WORK, layers=3.0, stored_layers=3.0)
    figures = traced(TRACE, smaller, HARDWARE, basis=WORK)
    for name in ("train.flops", "train.time", "inference.latency", "model.size"):
        ratio = estimate(smaller, HARDWARE)[name].value / estimate(WORK, HARDWARE)[name].value
        alone = traced(TRACE, WORK, HARDWARE)[name].value
        assert figures[name].value == pytest.approx(ratio * alone)


def test_rows_of_another_length_are_scaled():
    longer = replace(WORK, train_tokens=256.0, longest_tokens=256.0)
    assert (
        traced(TRACE, longer, HARDWARE)["train.flops"].value
        > 2 * traced(TRACE, WORK, HARDWARE)["train.flops"].value
    )


def test_zeros_are_packed_in_the_saved_folder():
    sparse = traced(TRACE, replace(WORK, density=0.3), HARDWARE)["model.size"].value
    assert sparse < traced(TRACE, WORK, HARDWARE)["model.size"].value


def test_without_a_step_only_answers_are_foretold():
    figures = traced(replace(TRACE, step=None), WORK, HARDWARE)
    assert not any(name.startswith("train.") for name in figures)
    assert figures["inference.latency"].value > 0
