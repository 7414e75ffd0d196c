"""alibi: scores fall with distance at the paper's slopes, and nothing else tells positions."""

from __future__ import annotations

import pytest
import torch
from languages import learns, parameters, reads_only_what_came, survives_saving, text_of

plugin = pytest.importorskip("effauto.bundled.alibi", reason="this plugin is not here")
bias = pytest.importorskip("effauto.bundled.alibi.bias")
METHOD = plugin.Alibi()


def test_slopes_are_the_papers():
    assert bias.slopes(8) == [2.0**-n for n in range(1, 9)]
    assert bias.slopes(16)[:2] == [2**-0.5, 2**-1]
    assert bias.slopes(6) == [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3]  # as their code does


def test_it_is_a_softmax_of_scores_less_slope_times_distance():
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 9, 8, generator=generator)
    met = torch.ones(9, 9, dtype=torch.bool).tril()[None, None]
    found = bias.biased(query, key, value, met)
    for head, slope in enumerate(bias.slopes(4)):
        for asked in range(9):
            distance = asked - torch.arange(asked + 1)
            scores = key[1, head, : asked + 1] @ query[1, head, asked] - slope * distance
            expected = scores.softmax(0) @ value[1, head, : asked + 1]
            torch.testing.assert_close(found[1, head, asked], expected)


def test_only_distance_tells_where_a_token_stands(untrained, scratch):
    model = METHOD.build(untrained, {}, scratch)
    reads_only_what_came(model)
    layer = model.layers[0].self_attn
    with torch.inference_mode():  # one token alone: no position is added to it
        same = torch.full((1, 5), 4)
        found = model(same, torch.ones_like(same))
    torch.testing.assert_close(found[0, 0], found[0, 4])
    assert layer.config._attn_implementation != model.config._attn_implementation


def test_it_reads_longer_texts_than_it_has_positions(untrained, scratch):
    model = METHOD.build(untrained, {}, scratch)
    text = text_of(model, rows=1, tokens=300)
    with torch.inference_mode():
        assert model(**text).isfinite().all()


def test_it_learns_is_saved_and_has_no_more_numbers(untrained, scratch, scratch_work, tmp_path):
    left, trained = learns(METHOD, {}, scratch)
    assert left < 0.75
    survives_saving(METHOD, {}, trained, scratch, tmp_path / "model")
    assert METHOD.cost(scratch_work, {}).parameters == parameters(untrained)
