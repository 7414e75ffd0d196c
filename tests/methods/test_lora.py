"""lora: merged answers are those of the adapters, and nothing of peft is left."""

from __future__ import annotations

import pytest
import torch
from families import tiny
from saving import logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

pytest.importorskip("peft", reason="lora needs the extra peft")
plugin = pytest.importorskip("effauto.bundled.lora", reason="this plugin is not here")
METHOD = plugin.Lora()
ATTENTION = {"targets": "attention", "rank": 4, "scale": 2.0, "epochs": 1, "learning_rate": 1e-2}
EVERYWHERE = ATTENTION | {"targets": "all-linear"}


def disturbed(model: TaskModel) -> TaskModel:
    """Adapters start with a zero matrix, so that at first they change nothing."""
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.mark.parametrize("setting", [ATTENTION, EVERYWHERE], ids=["attention", "all-linear"])
def test_merged_answers_are_those_of_the_adapters(model, context, setting):
    plain, names, kind = logits_of(model), list(model.state_dict()), type(model.encoder)
    adapted = disturbed(METHOD.build(model, setting, context))
    expected = logits_of(adapted)
    assert abs(expected - plain).max() > 1e-3
    merged = METHOD.compress(adapted, setting, context)
    assert abs(logits_of(merged) - expected).max() < 1e-5
    assert type(merged.encoder) is kind
    assert list(merged.state_dict()) == names
    assert not [m for m in merged.modules() if "peft" in type(m).__module__]
    assert "peft_config" not in vars(merged.encoder)


@pytest.mark.parametrize("setting", [ATTENTION, EVERYWHERE], ids=["attention", "all-linear"])
def test_only_adapters_and_head_are_trained(surroundings, work, setting):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), setting, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert METHOD.cost(work, setting).trainable_parameters == trained
    training = METHOD.train(Training(), setting, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    assert moved == {n for n in before if "lora_" in n or n.startswith("head.")}


def test_the_merged_model_survives_saving(model, context, tmp_path):
    merged = METHOD.compress(disturbed(METHOD.build(model, ATTENTION, context)), ATTENTION, context)
    loaded = saved(predictor_of(merged, context), METHOD, ATTENTION, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(merged)).all()


@pytest.mark.parametrize("family", ["Bert", "DistilBert", "Roberta", "GPT2", "Llama", "ModernBert"])
@pytest.mark.parametrize("targets", ["attention", "all-linear"])
def test_projections_are_found_in_many_families(context, family, targets):
    model = tiny(family)
    numbers = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}
    with torch.inference_mode():
        adapted = disturbed(METHOD.build(model, ATTENTION | {"targets": targets}, context))
        expected = adapted(**numbers)
        merged = METHOD.compress(adapted, ATTENTION, context)
        torch.testing.assert_close(merged(**numbers), expected, atol=1e-5, rtol=1e-4)


def test_a_body_without_projections_is_refused(context):
    with pytest.raises(EffautoError, match="no query and value projections in Linear"):
        plugin.adapters.attention_projections(nn.Linear(2, 2))
