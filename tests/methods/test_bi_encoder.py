"""bi-encoder: the two texts do not see one another, and the head has four times the features."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from saving import predictor_of, saved
from topics import examples_of

plugin = pytest.importorskip("effauto.bundled.bi_encoder", reason="this plugin is not here")
METHOD = plugin.BiEncoder()


@pytest.fixture
def pairs(surroundings):
    return surroundings(examples_of("pair-classification", 12))


def test_features_are_those_of_each_text_alone(pairs):
    model = METHOD.build(pairs.untouched(), {}, pairs).eval()
    alone = replace(pairs, task=replace(pairs.task, kind="text-classification")).untouched().eval()
    rows = pairs.examples.inputs
    with torch.inference_mode():
        together = model.features(**tensors(pairs, model, rows))
        first, second = (
            alone.features(**tensors(pairs, alone, [(row[side],) for row in rows]))
            for side in (0, 1)
        )
    expected = torch.cat([first, second, (first - second).abs(), first * second], dim=1)
    torch.testing.assert_close(together, expected, atol=1e-5, rtol=1e-4)


def tensors(context, model, rows):
    pieces = context.encoding(model).encode(rows, 64)
    return {name: torch.from_numpy(array) for name, array in context.pad(pieces).items()}


def test_it_survives_saving(pairs, tmp_path):
    model = METHOD.build(pairs.untouched(), {}, pairs).eval()
    predictor = predictor_of(model, pairs)
    loaded = saved(predictor, METHOD, {}, tmp_path / "model")
    rows = pairs.examples.inputs
    assert loaded.encoding.pairing == "separate"
    assert loaded.predict_indices(rows) == predictor.predict_indices(rows)


def test_cost_counts_the_parameters_there_are(work, surroundings):
    context = surroundings(examples_of("pair-classification", 12))
    model = METHOD.build(context.untouched(), {}, context)
    binary = replace(work, head_parameters=2 * (work.width + 1))
    cost = METHOD.cost(binary, {})
    assert cost.head_parameters == pytest.approx(sum(p.numel() for p in model.head.parameters()))


def test_the_cost_foretells_the_tokens_of_single_requests(pairs, work):
    rows = pairs.examples.inputs
    joint, separate = pairs.untouched(), METHOD.build(pairs.untouched(), {}, pairs)
    told = replace(work, request_tokens=tokens_of(pairs, joint, rows) - 3.5)
    computed = tokens_of(pairs, separate, rows)
    assert METHOD.cost(told, {}).request_tokens + 3.5 == pytest.approx(computed, rel=0.25)


def tokens_of(context, model, rows):
    return sum(tensors(context, model, [row])["input_ids"].numel() for row in rows) / len(rows)


def test_other_tasks_are_refused(context, source):
    verdict = METHOD.fits(context.task, source.traits)
    assert "text-classification" in verdict.reason
