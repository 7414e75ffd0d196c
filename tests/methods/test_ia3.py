"""ia3: against the definition and peft's own model; merged answers are those of the vectors."""

from __future__ import annotations

import pytest
import torch
from families import tiny
from running import refusals, run
from saving import inputs_of, logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

peft = pytest.importorskip("peft", reason="ia3 needs peft")
plugin = pytest.importorskip("effauto.bundled.ia3", reason="this plugin is not here")
scaling = pytest.importorskip("effauto.bundled.ia3.scaling")
METHOD = plugin.IA3()
SETTING = {"epochs": 1, "learning_rate": 1e-2}


def disturbed(model: TaskModel) -> TaskModel:
    """Vectors start as ones, so that at first they change nothing."""
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "ia3_l" in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
    return model.eval()


def test_at_first_nothing_is_changed(model, context):
    plain = logits_of(model)
    assert (logits_of(METHOD.build(model, SETTING, context)) == plain).all()


def test_merged_answers_are_those_of_the_vectors(model, context):
    plain, names, kind = logits_of(model), list(model.state_dict()), type(model.encoder)
    scaled = disturbed(METHOD.build(model, SETTING, context))
    expected = logits_of(scaled)
    assert abs(expected - plain).max() > 1e-3
    merged = METHOD.compress(scaled, SETTING, context)
    assert abs(logits_of(merged) - expected).max() < 1e-5
    assert type(merged.encoder) is kind
    assert list(merged.state_dict()) == names
    assert not [m for m in merged.modules() if "peft" in type(m).__module__]
    assert "peft_config" not in vars(merged.encoder)


def test_it_is_peft_s_own_model(model, context):
    inner = [f"encoder.layer.{number}.output.dense" for number in range(4)]
    theirs = peft.get_peft_model(
        context.untouched().encoder,
        peft.IA3Config(target_modules=["key", "value", *inner], feedforward_modules=inner),
    ).eval()
    ours = disturbed(METHOD.build(model, SETTING, context)).encoder
    vectors = {n: p for n, p in ours.named_parameters() if "ia3_l" in n}
    found = {n.removeprefix("base_model.model."): p for n, p in theirs.named_parameters()}
    assert {n for n in found if "ia3_l" in n} == set(vectors)
    with torch.inference_mode():
        for name, vector in vectors.items():
            found[name].copy_(vector)
        inputs = inputs_of(model)
        torch.testing.assert_close(
            ours(**inputs).last_hidden_state, theirs(**inputs).last_hidden_state
        )


def test_keys_values_and_inner_activations_are_scaled(model, context):
    plain = context.untouched().eval()
    scaled = disturbed(METHOD.build(model, SETTING, context))
    x, inner = torch.randn(2, 5, 32), torch.randn(2, 5, 64)
    ours, theirs = scaled.layers[1], plain.layers[1]
    with torch.inference_mode():
        for name in ("key", "value"):
            found, expected = (getattr(b.attention.self, name) for b in (ours, theirs))
            vector = found.ia3_l["default"].flatten()
            torch.testing.assert_close(found(x), expected(x) * vector)
        vector = ours.output.dense.ia3_l["default"].flatten()
        torch.testing.assert_close(ours.output.dense(inner), theirs.output.dense(inner * vector))
        assert type(ours.attention.output.dense) is nn.Linear


def test_only_vectors_and_head_are_trained(surroundings, work):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), SETTING, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert METHOD.cost(work, SETTING).trainable_parameters == trained
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    assert moved == {n for n in before if "ia3_l" in n or n.startswith("head.")}


def test_the_merged_model_survives_saving(model, context, tmp_path):
    merged = METHOD.compress(disturbed(METHOD.build(model, SETTING, context)), SETTING, context)
    loaded = saved(predictor_of(merged, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(merged)).all()


@pytest.mark.parametrize(
    "family", ["Bert", "DistilBert", "Roberta", "GPT2", "Llama", "ModernBert", "MPNet"]
)
def test_what_is_scaled_is_found_in_many_families(context, family):
    model = tiny(family)
    numbers = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}
    attention, inner = scaling.scaled_layers(model.encoder)
    assert len(attention) == (1 if family in ("GPT2", "ModernBert") else 2)
    assert len(inner) == 1
    with torch.inference_mode():
        scaled = disturbed(METHOD.build(model, SETTING, context))
        expected = scaled(**numbers)
        merged = METHOD.compress(scaled, SETTING, context)
        torch.testing.assert_close(merged(**numbers), expected, atol=1e-5, rtol=1e-4)


def test_a_body_of_other_names_is_refused():
    with pytest.raises(EffautoError, match="no keys and values, or no inner layers, in Linear"):
        scaling.scaled_layers(nn.Linear(2, 2))


def test_it_costs_less_memory_and_no_more_work_than_full_training(work):
    cost = METHOD.cost(work, {"epochs": 3, "learning_rate": 1e-2})
    assert cost.weight_gradients == 0
    assert cost.activation_units <= work.activation_units
    assert cost.trainable_parameters < 0.1 * work.trainable_parameters
    assert cost.parameters == work.parameters


def test_it_composes_with_fewer_layers_before_and_integers_after(source, tmp_path):
    steps = {"layer-drop": {"keep": 0.5}, METHOD.name: SETTING, "int8-dynamic": {}}
    assert len(run(steps, source, tmp_path).predictor.runtime.model.layers) == 2


@pytest.mark.parametrize("other", ["low-rank-linear", "quantization-aware-training"])
def test_what_it_does_not_go_with_is_refused(source, other):
    assert any(
        "does not go with" in said for said in refusals({METHOD.name: {}, other: {}}, source)
    )
