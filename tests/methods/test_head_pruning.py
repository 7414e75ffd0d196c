"""head-pruning: the narrow attention is the old one with heads masked, and lasts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from families import tiny
from running import refusals, run
from saving import logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.head_pruning", reason="this plugin is not here")
attention = pytest.importorskip("effauto.bundled.head_pruning.attention")
scoring = pytest.importorskip("effauto.bundled.head_pruning.importance")
METHOD = plugin.HeadPruning()
LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
LORA = {"lora": {"epochs": 6, "learning_rate": 2e-2, "targets": "all-linear"}}
HALF = {"share": 0.5}
NUMBERS = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("Bert", {}),
        ("Roberta", {}),
        ("Electra", {}),
        ("DistilBert", {}),
        ("Llama", {}),
        ("Llama", {"num_key_value_heads": 2}),
        ("Qwen3", {"num_key_value_heads": 2, "head_dim": 8}),
    ],
)
@torch.inference_mode()
def test_it_computes_what_masked_heads_compute(family, more):
    model = tiny(family, layers=2, **more).eval()
    found = attention.attentions(model.encoder, model.layers)
    assert len(found) == 2
    kept = torch.arange(1, found[0].heads, 2)
    hooks = [part.output.register_forward_pre_hook(masking(part.heads, kept)) for part in found]
    masked = model(**NUMBERS)
    for hook in hooks:
        hook.remove()
    untouched = model(**NUMBERS)
    for part in found:
        attention.keep_heads(part, kept)
    torch.testing.assert_close(model(**NUMBERS), masked, atol=1e-6, rtol=1e-5)
    assert (masked - untouched).abs().max() > 1e-4


def masking(heads, kept):
    def mask(module, inputs):
        states = inputs[0].unflatten(-1, (heads, -1)).clone()
        states[..., [head for head in range(heads) if head not in kept], :] = 0
        return (states.flatten(-2),)

    return mask


def test_importance_is_the_mean_size_of_each_rows_gradient(surroundings):
    """One row at a time, as the paper defines it, with gates that rows of a batch would share."""
    context = surroundings(examples_of("text-classification", 9))
    model = context.untouched().eval()
    found = attention.attentions(model.encoder, model.layers)
    scores = scoring.importance(model, found, context, 9)
    training = replace(Training(), padding="longest")
    encoded = encode_training(model, context.examples, training, context)
    expected = torch.zeros(4, 4)
    for row in range(9):
        gates = [torch.ones(4, 1, requires_grad=True) for _ in found]
        hooks = [
            part.output.register_forward_pre_hook(
                lambda _, inputs, gate=gate: (
                    (inputs[0].unflatten(-1, (4, -1)) * gate).flatten(-2),
                )
            )
            for part, gate in zip(found, gates, strict=True)
        ]
        batch = collate([row], encoded, context.examples, training, context)
        training.loss(model, batch).backward()
        expected += torch.stack([gate.grad.abs().flatten() for gate in gates])
        for hook in hooks:
            hook.remove()
    torch.testing.assert_close(torch.stack(scores), expected, atol=1e-6, rtol=1e-3)


def test_the_heads_that_matter_stay(surroundings):
    context = surroundings(examples_of("text-classification", 12))
    model = context.untouched()
    scores = scoring.importance(model, attention.attentions(model, model.layers), context, 12)
    before = [layer.attention.self.query.weight.detach().clone() for layer in model.layers]
    model = METHOD.build(model, HALF, context)
    for layer, old, score in zip(model.layers, before, scores, strict=True):
        best = sorted(score.argsort(descending=True)[:2].tolist())
        expected = torch.cat([old[8 * head : 8 * head + 8] for head in best])
        assert torch.equal(layer.attention.self.query.weight, expected)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_it_survives_saving(surroundings, tmp_path):
    context = surroundings(examples_of("text-classification", 12))
    model = METHOD.build(context.untouched(), HALF, context).eval()
    loaded = saved(predictor_of(model, context), METHOD, HALF, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        LEARNING | {"layer-drop": {"keep": 0.5}, "int8-dynamic": {}},
        LEARNING | {"onnx-runtime": {"quantize": "int8"}},
        LORA | {"distillation": {}, "layer-drop": {"keep": 0.75}},
    ],
    ids=["fewer layers, int8", "onnx", "adapters, a teacher"],
)
def test_whole_recipes(source, tmp_path, others):
    assert run(others | {"head-pruning": HALF}, source, tmp_path, rows=90).right > 0.6


def test_pairs_and_tags(source, tmp_path):
    for kind, others in (("pair-classification", {"bi-encoder": {}}), ("token-classification", {})):
        run(others | {"head-pruning": HALF}, source, tmp_path / kind, kind, rows=12)


def test_the_cost_counts_the_parameters_there_are(work, surroundings):
    context = surroundings(examples_of("text-classification", 12))
    cost = METHOD.cost(work, HALF)
    model = METHOD.build(context.untouched(), HALF, context)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert cost.parameters == pytest.approx(numbers, rel=1e-3)
    assert cost.trainable_parameters == pytest.approx(numbers, rel=1e-3)
    assert (cost.attention_width, cost.layers) == (16, 4)


def test_fewer_heads_never_cost_more(work):
    costs = [METHOD.cost(work, {"share": share}) for share in (0.1, 0.25, 0.5, 0.75)]
    for name in ("attention_width", "layer_parameters", "activation_units"):
        values = [getattr(cost, name) for cost in costs]
        assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(("heads", "share", "kept"), [(12, 0.25, 9), (2, 0.1, 1), (4, 0.75, 1)])
def test_how_many_stay(heads, share, kept):
    assert plugin.kept_of(heads, share) == kept


def test_one_head_cannot_be_pruned(context):
    assert METHOD.fits(context.task, context.model)
    assert "two heads" in METHOD.fits(context.task, replace(context.model, heads=1)).reason


def test_fused_projections_and_shared_keys_are_refused():
    with pytest.raises(EffautoError, match="separate query, key and value"):
        attention.attentions(nn.Linear(2, 2), tiny("GPT2").layers)
    with pytest.raises(EffautoError, match="one for all queries"):
        attention.attentions(nn.Linear(2, 2), tiny("Llama", num_key_value_heads=1).layers)


def test_it_makes_a_student(source):
    assert not refusals({"head-pruning": {}, "distillation": {}}, source)
