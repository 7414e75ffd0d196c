"""grouped-query-attention: fewer keys and values, each read by a group of queries."""

from __future__ import annotations

import pytest
import torch
from languages import (
    counted_flops,
    foretold_flops,
    learns,
    parameters,
    reads_only_what_came,
    survives_saving,
    text_of,
)
from transformers import LlamaConfig, LlamaModel

plugin = pytest.importorskip("effauto.bundled.grouped_query_attention", reason="not here")
METHOD = plugin.GroupedQueryAttention()
TWO = {"queries": 2}


@pytest.mark.parametrize(
    ("heads", "queries", "group"),
    [(4, 2, 2), (4, 8, 4), (3, 2, 3), (6, 4, 6), (12, 4, 4), (1, 2, 1)],
)
def test_groups_are_equal_and_at_least_as_large_as_asked(heads, queries, group):
    assert plugin.group_of(heads, queries) == group


def test_it_is_what_transformers_makes_of_such_a_config(untrained, scratch):
    grouped = METHOD.build(untrained, TWO, scratch)
    reference = LlamaModel(LlamaConfig(**grouped.config.to_dict())).eval()
    reference.load_state_dict(grouped.encoder.state_dict())
    assert reference.layers[0].self_attn.k_proj.out_features == 64
    grouped.settle()
    reference.load_state_dict(grouped.encoder.state_dict())
    text = text_of(grouped)
    with torch.inference_mode():
        expected = reference(**text).last_hidden_state
        found = grouped.encoder(**text).last_hidden_state
    torch.testing.assert_close(found, expected)
    reads_only_what_came(grouped)


def test_it_costs_what_it_has(untrained, scratch, scratch_work):
    grouped = METHOD.build(untrained, TWO, scratch)
    cost = METHOD.cost(scratch_work, TWO)
    assert cost.parameters == cost.trainable_parameters == parameters(grouped)
    assert foretold_flops(cost, 96) == pytest.approx(counted_flops(grouped, 96), rel=1e-3)
    assert cost.cached_widths == scratch_work.cached_widths / 2


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, TWO, scratch)
    assert left < 0.75
    survives_saving(METHOD, TWO, trained, scratch, tmp_path / "model")
