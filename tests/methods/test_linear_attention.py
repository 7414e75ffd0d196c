"""linear-attention: the carried sums are the sums over all tokens before."""

from __future__ import annotations

import pytest
import torch
from languages import counted_flops, foretold_flops, learns, reads_only_what_came, survives_saving
from torch.nn.functional import elu

plugin = pytest.importorskip("effauto.bundled.linear_attention", reason="this plugin is not here")
carried = pytest.importorskip("effauto.bundled.linear_attention.carried")
METHOD = plugin.LinearAttention()


@pytest.mark.parametrize("tokens", [1, 5, 64, 65, 150])
def test_it_is_the_recurrence(tokens):
    """Katharopoulos et al. 2020, equations 16 to 20, step by step."""
    generator = torch.Generator().manual_seed(tokens)
    query, key, value = torch.randn(3, 1, 2, tokens, 4, generator=generator).double()
    met = torch.ones(1, 1, tokens, tokens, dtype=torch.bool).tril()
    found = carried.carried(query, key, value, met)
    summed, weight = torch.zeros(2, 4, 4).double(), torch.zeros(2, 4).double()
    for step in range(tokens):
        features = elu(key[0, :, step]) + 1
        summed += features[:, :, None] * value[0, :, step][:, None]
        weight += features
        asked = elu(query[0, :, step]) + 1
        expected = torch.einsum("hd,hde->he", asked, summed) / (asked * weight).sum(-1)[:, None]
        torch.testing.assert_close(found[0, :, step], expected)


def test_a_model_reads_only_what_came(untrained, scratch):
    reads_only_what_came(METHOD.build(untrained, {}, scratch))


def test_it_costs_what_is_counted_in_whole_chunks(untrained, scratch, scratch_work):
    model = METHOD.build(untrained, {}, scratch)
    cost = METHOD.cost(scratch_work, {})
    assert foretold_flops(cost, 256) == pytest.approx(counted_flops(model, 256), rel=0.01)


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, {}, scratch)
    assert left < 0.75
    survives_saving(METHOD, {}, trained, scratch, tmp_path / "model")
