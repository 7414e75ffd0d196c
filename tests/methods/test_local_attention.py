"""local-attention: blocks compute what a mask over all scores would, and fewer products."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from languages import counted_flops, foretold_flops, learns, reads_only_what_came, survives_saving

plugin = pytest.importorskip("effauto.bundled.local_attention", reason="this plugin is not here")
window = pytest.importorskip("effauto.bundled.local_attention.window")
METHOD = plugin.LocalAttention()
NARROW = {"window": 16, "everywhere": 4}


@settings(max_examples=40, deadline=None)
@given(
    tokens=st.integers(1, 70),
    size=st.integers(1, 20),
    everywhere=st.integers(0, 5),
    padded=st.integers(0, 9),
)
def test_blocks_are_the_softmax_over_what_is_seen(tokens, size, everywhere, padded):
    """Longformer's definition: i reads j if i - j < window, or if j is one of the first."""
    generator = torch.Generator().manual_seed(tokens)
    query, key, value = torch.randn(3, 2, 2, tokens, 4, generator=generator)
    met = torch.ones(2, 1, tokens, tokens, dtype=torch.bool).tril()
    there = max(1, tokens - padded)
    met[1, :, :, there:] = False  # the second row is shorter
    met[1, :, there:, 0] = True
    found = window.windowed(query, key, value, met, window=size, everywhere=everywhere)
    places = torch.arange(tokens)
    seen = (places[:, None] - places < size) | (places < everywhere)
    scores = (query @ key.transpose(-1, -2)).masked_fill(~(met & seen), -torch.inf)
    expected = scores.softmax(-1) @ value
    rows = [(0, tokens), (1, there)]
    for row, length in rows:
        torch.testing.assert_close(found[row, :, :length], expected[row, :, :length])


def test_a_model_reads_only_its_window(untrained, scratch):
    model = METHOD.build(untrained, NARROW, scratch)
    reads_only_what_came(model)
    text = torch.randint(2, 20, (1, 128))
    other = text.clone()
    other[0, 4:30] = 21
    reach = 4 * (16 - 1)  # layers add up
    with torch.inference_mode():
        found, changed = (model(t, torch.ones_like(t)) for t in (text, other))
    torch.testing.assert_close(found[:, 30 + reach :], changed[:, 30 + reach :])
    assert not torch.allclose(found[:, 40], changed[:, 40])


def test_it_costs_what_is_counted(untrained, scratch, scratch_work):
    model = METHOD.build(untrained, NARROW, scratch)
    cost = METHOD.cost(scratch_work, NARROW)
    assert foretold_flops(cost, 256) == pytest.approx(counted_flops(model, 256), rel=1e-3)
    assert foretold_flops(cost, 256) < foretold_flops(scratch_work, 256)


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, NARROW, scratch)
    assert left < 0.75
    survives_saving(METHOD, NARROW, trained, scratch, tmp_path / "model")
