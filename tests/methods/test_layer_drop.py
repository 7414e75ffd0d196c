"""layer-drop: which layers stay, and that the rest of the model is as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from saving import logits_of, predictor_of, saved
from transformers import LlamaConfig, LlamaModel

from effauto import TaskModel

plugin = pytest.importorskip("effauto.bundled.layer_drop", reason="this plugin is not here")
METHOD = plugin.LayerDrop()


@pytest.mark.parametrize(
    ("layers", "share", "strategy", "kept"),
    [
        (6, 0.5, "lower", [0, 1, 2]),
        (6, 0.5, "alternate", [0, 2, 4]),
        (12, 0.5, "alternate", [0, 2, 4, 6, 8, 10]),
        (12, 0.67, "alternate", [0, 1, 3, 4, 6, 7, 9, 10]),
        (6, 0.15, "alternate", [0]),
        (2, 0.15, "lower", [0]),
        (2, 0.85, "lower", [0]),
    ],
)
def test_which_layers_stay(layers, share, strategy, kept):
    assert plugin.kept_layers(layers, share, strategy) == kept


@pytest.mark.parametrize("strategy", ["lower", "alternate"])
def test_the_model_is_the_old_one_without_these_layers(model, context, strategy):
    """The reference calls the embeddings, the kept layers and the head one after the other."""
    setting = {"keep": 0.5, "strategy": strategy}
    encoder, layers = model.encoder, list(model.layers)
    numbers = torch.tensor([[101, 2023, 2003, 102]])
    with torch.inference_mode():
        states = encoder.embeddings(input_ids=numbers)
        for kept in plugin.kept_layers(4, 0.5, strategy):
            states = layers[kept](states)
        expected = model.head(states.mean(dim=1))
        dropped = METHOD.build(model, setting, context)
        found = dropped(numbers, torch.ones_like(numbers), torch.zeros_like(numbers))
    torch.testing.assert_close(found, expected)


def test_it_survives_saving(model, context, tmp_path):
    setting = {"keep": 0.5, "strategy": "alternate"}
    model = METHOD.build(model, setting, context)
    loaded = saved(predictor_of(model, context), METHOD, setting, tmp_path / "model")
    assert len(loaded.runtime.model.layers) == 2
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


def test_cost_drops_layers_and_what_they_train(work, context):
    setting = {"keep": 0.5, "strategy": "lower"}
    cost = METHOD.cost(work, setting)
    assert (work.layers, cost.layers) == (4, 2)
    dropped = METHOD.build(context.untouched(), setting, context)
    trained = sum(parameter.numel() for parameter in dropped.parameters())
    assert cost.trainable_parameters == pytest.approx(trained, rel=1e-3)
    assert cost.parameters == pytest.approx(trained, rel=1e-3)


def test_one_layer_cannot_be_dropped(context):
    assert METHOD.fits(context.task, context.model)
    assert "two layers" in METHOD.fits(context.task, replace(context.model, layers=1)).reason


def test_a_decoder_answers_with_every_other_layer():
    """Its attention counts layers, to find the place of each in a cache."""
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=0,
    )
    model = TaskModel(LlamaModel(config), "text-classification", 2, pooling="last")
    model.keep_layers([0, 3])
    ids = torch.ones(2, 5, dtype=torch.long)
    assert model(input_ids=ids, attention_mask=ids).shape == (2, 2)
