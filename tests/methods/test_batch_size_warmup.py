"""batch-size-warmup: how large batches are when; every row is read as often as before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from languages import learns

from effauto import Training

plugin = pytest.importorskip("effauto.bundled.batch_size_warmup", reason="this plugin is not here")
growth = pytest.importorskip("effauto.bundled.batch_size_warmup.growth")
METHOD = plugin.BatchSizeWarmup()
SETTING = {"start": 0.25, "pacing": 0.5}


class Row:
    length = 8


def batches_of(setting, rows, size, epochs):
    plain = replace(Training(), batch_size=size, epochs=epochs)
    growing = growth.Growing(plain, **setting)
    training = replace(plain, order=growing.order, group=growing.group)
    encoded = [Row()] * rows
    return [list(training.batches(encoded, epoch, seed=0)) for epoch in range(epochs)]


def test_batches_grow_to_their_size():
    first, second = batches_of(SETTING, rows=128, size=16, epochs=2)
    sizes = [len(batch) for batch in first]
    assert sizes == [*[4] * 4, 6, 6, 4, *[8] * 6, *[16] * 3]  # a batch of 16 in equal parts
    assert {len(batch) for batch in second} == {16}


@given(
    st.sampled_from((0.125, 0.25, 0.5)),
    st.floats(0.1, 1.0),
    st.integers(1, 90),
    st.sampled_from((4, 8, 16)),
    st.integers(1, 3),
)
def test_each_epoch_reads_every_row_once(start, pacing, rows, size, epochs):
    for batches in batches_of({"start": start, "pacing": pacing}, rows, size, epochs):
        assert sorted(row for batch in batches for row in batch) == list(range(rows))
        assert max(map(len, batches)) <= size


def test_further_steps_are_counted(scratch_work):
    """Of 64 batches of 64 rows about as many are made as foretold."""
    (made,) = batches_of(SETTING, rows=64 * 64, size=64, epochs=1)
    foretold = 64 * (1 + 0.5 * (plugin.mean_inverse(0.25) - 1))
    assert len(made) == pytest.approx(foretold, rel=0.2)
    cost = METHOD.cost(scratch_work, SETTING)
    assert cost.extra_train_flops > scratch_work.extra_train_flops
    assert cost.train_tokens == scratch_work.train_tokens


def test_it_learns(scratch):
    assert learns(METHOD, SETTING, scratch)[0] < 0.75
