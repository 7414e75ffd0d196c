"""bitfit: what is trained, what is not, and what it says it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

plugin = pytest.importorskip("effauto.bundled.bitfit", reason="this plugin is not here")
METHOD = plugin.BitFit()
SETTING = {"epochs": 2, "learning_rate": 1e-2}


@pytest.mark.parametrize("kind", ["text-classification", "token-classification"])
def test_a_training_moves_biases_and_head_only(surroundings, kind):
    context = surroundings(examples_of(kind, 40))
    model = METHOD.build(context.untouched(), SETTING, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    biases = {name for name in before if name.endswith(".bias")}
    assert moved <= biases | {"head.weight"}
    assert {"head.weight", "encoder.embeddings.LayerNorm.bias"} <= moved
    assert len(moved) > len(biases) / 2  # a key's bias moves all scores alike, so not at all


def test_the_cost_counts_what_is_trained(work, context):
    model = METHOD.build(context.untouched(), SETTING, context)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert METHOD.cost(work, SETTING).trainable_parameters == trained


def test_a_model_whose_layers_have_norms_only_does_not_fit(context):
    assert METHOD.fits(context.task, context.model)
    bare = replace(context.model, layer_vectors=2 * context.model.width)
    assert "has none" in METHOD.fits(context.task, bare).reason


def test_a_body_without_biases_is_refused(context):
    model = TaskModel(Bare(), "text-classification", 3)
    with pytest.raises(EffautoError, match="Bare: it has no bias terms"):
        METHOD.build(model, SETTING, context)


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.config = type("Config", (), {"hidden_size": 4})()
        self.linear = nn.Linear(4, 4, bias=False)
