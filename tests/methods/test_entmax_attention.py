"""entmax-attention: weights are those of 1.5-entmax over the tokens that are met."""

from __future__ import annotations

import pytest
import torch
from languages import learns, reads_only_what_came, survives_saving

pytest.importorskip("entmax")
plugin = pytest.importorskip("effauto.bundled.entmax_attention", reason="this plugin is not here")
sparse = pytest.importorskip("effauto.bundled.entmax_attention.sparse")
METHOD = plugin.EntmaxAttention()


def test_weights_solve_the_equation_of_entmax():
    """p = max(z / 2 - τ, 0)², with τ so that they sum to 1 (Peters et al. 2019, equation 11)."""
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 1, 12, 6, generator=generator).double()
    met = torch.ones(1, 1, 12, 12, dtype=torch.bool).tril()
    weights = sparse.sparsely(query, key, torch.eye(12).double()[None, None], met)[0, 0]
    torch.testing.assert_close(weights.sum(-1), torch.ones(12).double())
    assert (weights.triu(1) == 0).all()
    assert (weights.tril() == 0).sum() > 66 + 12  # some of those met are not read either
    scores = (query @ key.transpose(-1, -2))[0, 0]
    for row in range(12):
        used = weights[row] > 0
        threshold = scores[row][used] / 2 - weights[row][used].sqrt()
        torch.testing.assert_close(threshold, threshold[:1].expand_as(threshold))
        assert (scores[row, : row + 1][~used[: row + 1]] / 2 <= threshold[0] + 1e-9).all()


def test_a_model_reads_only_what_came(untrained, scratch):
    reads_only_what_came(METHOD.build(untrained, {}, scratch))


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, {}, scratch)
    assert left < 0.75
    survives_saving(METHOD, {}, trained, scratch, tmp_path / "model")
