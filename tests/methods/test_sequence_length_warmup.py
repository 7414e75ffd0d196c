"""sequence-length-warmup: how much of a row is read when, and what that costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from languages import learns

from effauto import SCRATCH_BASELINE, Batch, Moment, Training
from effauto.execution.meter import Meter

plugin = pytest.importorskip("effauto.bundled.sequence_length_warmup", reason="not here")
METHOD = plugin.SequenceLengthWarmup()
SETTING = {"start": 0.25, "pacing": 0.5}
SHARES = st.floats(0.05, 0.5), st.floats(0.1, 1.0)


@given(*SHARES)
def test_the_mean_is_that_of_all_steps(start, pacing):
    shares = [plugin.share((step + 0.5) / 2000, start, pacing) for step in range(2000)]
    mean, square = plugin.moments(start, pacing)
    assert mean == pytest.approx(sum(shares) / 2000, rel=1e-3)
    assert square == pytest.approx(sum(share**2 for share in shares) / 2000, rel=1e-3)


def test_rows_grow_by_eights_to_their_whole_length(scratch):
    training = METHOD.train(Training(), SETTING, scratch)
    numbers = torch.ones(2, 128, dtype=torch.long)
    batch = Batch({"input_ids": numbers, "attention_mask": numbers}, numbers, (0, 1))
    read = [training.view(batch, Moment(step, 12, 0, False)) for step in range(1, 13)]
    assert [some.tokens // 2 for some in read] == [32, 48, 64, 80, 96, 112, *[128] * 6]
    assert all(some.targets.shape == some.inputs["attention_mask"].shape for some in read)


def test_what_is_counted_is_what_is_read(scratch):
    """The meter counts a first step, and takes the others for as dear a token."""
    plain, shorter = replace(scratch, meter=Meter()), replace(scratch, meter=Meter())
    for context, method in ((plain, False), (shorter, True)):
        training = replace(Training.of(SCRATCH_BASELINE), epochs=2)
        training = METHOD.train(training, SETTING, context) if method else training
        training.fit(context.untouched(), context.examples, training, context)
    read = shorter.meter.flops.total / plain.meter.flops.total
    assert read == pytest.approx(plugin.moments(0.25, 0.5)[0], abs=0.1)


def test_it_costs_what_is_read(scratch_work):
    cost = METHOD.cost(scratch_work, SETTING)
    mean, square = plugin.moments(0.25, 0.5)
    assert cost.train_tokens == mean * scratch_work.train_tokens
    assert cost.unevenness * cost.train_tokens**2 == pytest.approx(
        square * scratch_work.unevenness * scratch_work.train_tokens**2
    )
    assert cost.longest_tokens == scratch_work.longest_tokens


def test_it_learns(scratch):
    assert learns(METHOD, SETTING, scratch)[0] < 0.75
