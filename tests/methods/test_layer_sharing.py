"""layer-sharing: which layers are passed again, and that each is stored once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import transformers
from languages import learns, parameters, survives_saving
from running import refusals, run
from saving import logits_of, predictor_of, saved, tensor_bytes

from effauto import EffautoError, TaskModel

plugin = pytest.importorskip("effauto.bundled.layer_sharing", reason="this plugin is not here")
sharing = pytest.importorskip("effauto.bundled.layer_sharing.share")
METHOD = plugin.LayerSharing()
LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
PAIRS = {"repeats": 2, "start": "first"}


@pytest.mark.parametrize(
    ("repeats", "passed"), [(2, [0, 0, 2, 2]), (3, [0, 0, 0, 3]), (6, [0] * 4)]
)
def test_the_model_is_the_first_layer_of_each_group_again_and_again(
    model, context, repeats, passed
):
    """The reference calls embeddings, layers and head one after the other."""
    encoder, layers = model.encoder, list(model.layers)
    numbers = torch.tensor([[101, 2023, 2003, 102]])
    with torch.inference_mode():
        states = encoder.embeddings(input_ids=numbers)
        for place in passed:
            states = layers[place](states)
        expected = model.head(states.mean(dim=1))
        shared = METHOD.build(model, {"repeats": repeats, "start": "first"}, context)
        found = shared(numbers, torch.ones_like(numbers), torch.zeros_like(numbers))
    torch.testing.assert_close(found, expected)


def test_a_shared_layer_begins_as_the_mean(model, context):
    queries = [layer.attention.self.query.weight.detach().clone() for layer in model.layers]
    METHOD.build(model, {"repeats": 3, "start": "mean"}, context)
    first, _, _, last = model.layers
    torch.testing.assert_close(first.attention.self.query.weight, sum(queries[:3]) / 3)
    assert torch.equal(last.attention.self.query.weight, queries[3])


def test_it_survives_saving_and_is_stored_once(model, context, work, tmp_path):
    model = METHOD.build(model, PAIRS, context)
    loaded = saved(predictor_of(model, context), METHOD, PAIRS, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()
    assert isinstance(loaded.runtime.model.layers[1], sharing.Again)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert tensor_bytes(tmp_path / "model") == 4 * numbers
    assert METHOD.cost(work, PAIRS).parameters == pytest.approx(numbers)
    assert METHOD.cost(work, PAIRS).trainable_parameters == pytest.approx(numbers)


def test_both_passes_train_the_shared_layer(model, context):
    model = METHOD.build(model, {"repeats": 6, "start": "first"}, context)
    numbers = torch.tensor([[101, 2023, 2003, 102]])
    model(numbers, torch.ones_like(numbers), numbers * 0).sum().backward()
    assert model.layers[0].attention.self.query.weight.grad.abs().sum() > 0
    assert len(list(model.layers[1].parameters())) == 0


def test_a_decoders_keys_are_not_mixed_up(context):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=64,
    )  # fmt: skip
    model = TaskModel(transformers.LlamaModel(config), "text-classification", 3).eval()
    shared = METHOD.build(model, PAIRS, context)
    numbers = {"input_ids": torch.tensor([[5, 6, 7]]), "attention_mask": torch.ones(1, 3).long()}
    with torch.inference_mode():
        found = shared(**numbers)
        other = numbers | {"input_ids": torch.tensor([[5, 6, 9]])}
        first = shared.encoder(**numbers).last_hidden_state[:, :2]
        torch.testing.assert_close(shared.encoder(**other).last_hidden_state[:, :2], first)
        torch.testing.assert_close(shared(**numbers), found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        LEARNING | {"layer-drop": {"keep": 0.75}, "head-pruning": {}, "ffn-pruning": {}},
        LEARNING | {"onnx-runtime": {"quantize": "none"}},
        {"lora": {"epochs": 6, "learning_rate": 2e-2, "targets": "all-linear"}, "int8-dynamic": {}},
        LEARNING | {"distillation": {}, "bf16-weights": {}},
    ],
    ids=["fewer and narrower layers", "onnx", "adapters, int8", "a teacher, bfloat16"],
)
def test_whole_recipes(source, tmp_path, others):
    ran = run(others | {"layer-sharing": PAIRS}, source, tmp_path, rows=90)
    assert ran.right > 0.45


def test_layers_of_several_kinds_are_refused(context):
    config = transformers.ModernBertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=64, pad_token_id=0,
    )  # fmt: skip
    model = TaskModel(transformers.ModernBertModel(config), "text-classification", 3)
    with pytest.raises(EffautoError, match="layers of one kind"):
        METHOD.build(model, PAIRS, context)


def test_more_repeats_never_cost_more(work):
    costs = [METHOD.cost(work, {"repeats": repeats, "start": "mean"}) for repeats in (2, 3, 4)]
    for name in ("stored_layers", "trainable_parameters"):
        values = [getattr(cost, name) for cost in costs]
        assert values == sorted(values, reverse=True)
    assert {cost.layers for cost in costs} == {work.layers}


def test_one_layer_cannot_share(context, source):
    assert "two layers" in METHOD.fits(context.task, replace(context.model, layers=1)).reason
    assert not refusals({"layer-sharing": {}, "distillation": {}}, source)


def test_it_serves_a_model_that_is_trained_from_scratch(scratch, scratch_work, tmp_path):
    """ALBERT's own use: shared from the start, the numbers of one layer each group."""
    deviation = scratch.untouched().layers[0].self_attn.q_proj.weight.std()
    model = METHOD.build(scratch.untouched(), {"repeats": 2, "start": "mean"}, scratch)
    assert model.layers[0].self_attn.q_proj.weight.std() == deviation
    left, trained = learns(METHOD, PAIRS, scratch)
    assert left < 0.75
    assert METHOD.cost(scratch_work, PAIRS).parameters == parameters(trained)
    survives_saving(METHOD, PAIRS, trained, scratch, tmp_path / "model")
