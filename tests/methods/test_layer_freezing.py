"""layer-freezing: what gets gradients, what moves, and what it says it costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from running import bundled, refusals, run
from topics import examples_of

from effauto import TaskModel, Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.layer_freezing", reason="this plugin is not here")
METHOD = plugin.LayerFreezing()
SETTING = {"share": 0.5, "epochs": 1, "learning_rate": 1e-3}


@pytest.mark.parametrize(
    ("layers", "share", "frozen"),
    [(6, 0.5, 3), (6, 0.9, 5), (6, 0.1, 1), (12, 0.75, 9), (2, 0.9, 1), (1, 0.9, 0), (0, 0.5, 0)],
)
def test_how_many_layers_are_frozen(layers, share, frozen):
    assert plugin.frozen_layers(layers, share) == frozen


def test_gradients_stop_at_the_lowest_trained_layer(surroundings):
    context = surroundings(examples_of("text-classification", 8))
    model = METHOD.build(context.untouched(), SETTING, context)
    crossed = []
    for layer in model.layers:
        layer.register_forward_pre_hook(lambda _, inputs: crossed.append(inputs[0].requires_grad))
    encoded = encode_training(model, context.examples, Training(), context)
    batch = collate(range(8), encoded, context.examples, Training(), context)
    Training().loss(model, batch).backward()
    assert crossed == [False, False, False, True]  # the lowest trained one needs no input's
    lower = [model.encoder.embeddings, *model.layers[:2]]
    assert all(p.grad is None for part in lower for p in part.parameters())
    assert all(p.grad is not None for part in model.layers[2:] for p in part.parameters())


def test_only_the_upper_layers_and_the_head_move(surroundings, work):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), SETTING, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert METHOD.cost(work, SETTING).trainable_parameters == trained
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    upper = {
        n for n in before if n.startswith(("encoder.encoder.layer.2", "encoder.encoder.layer.3"))
    }
    assert moved <= upper | {"head.weight", "head.bias"}
    assert len(moved) > len(upper) / 2


@pytest.mark.parametrize(
    ("family", "norm"), [("GPT2", "ln_f"), ("Llama", "norm"), ("ModernBert", "final_norm")]
)
def test_the_norm_after_the_last_layer_is_trained(context, family, norm):
    import transformers

    widths = {"GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4}}
    usual = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }
    config = getattr(transformers, f"{family}Config")(
        vocab_size=100, pad_token_id=0, **widths.get(family, usual)
    )
    body = getattr(transformers, f"{family}Model")(config)
    model = METHOD.build(TaskModel(body, "text-classification", 3), SETTING, context)
    outside = {
        name
        for name, parameter in model.encoder.named_parameters()
        if parameter.requires_grad and not name.startswith(("layers.", "h."))
    }
    assert outside == {f"{norm}.{part}" for part, _ in getattr(body, norm).named_parameters()}


def test_the_more_is_frozen_the_less_it_costs(work):
    costs = [METHOD.cost(work, SETTING | {"share": share}) for share in (0.1, 0.5, 0.9)]
    for less, more in pairwise(costs):
        assert more.backward_depth < less.backward_depth
        assert more.trainable_parameters < less.trainable_parameters
    assert costs[1].backward_depth == 0.5
    assert costs[1].forward_passes == 1


def test_one_layer_is_refused(context):
    assert METHOD.fits(context.task, context.model)
    assert "two layers" in METHOD.fits(context.task, replace(context.model, layers=1)).reason


def test_it_composes_with_fewer_layers_before_and_integers_after(source, tmp_path):
    fewer = {"layer-drop": {"keep": 0.5}}
    ran = run(fewer | {METHOD.name: SETTING, "int8-dynamic": {}}, source, tmp_path)
    assert len(ran.predictor.runtime.model.layers) == 2
    full = run(fewer | {"full-finetune": {"epochs": 1}}, source, tmp_path)
    assert ran.measured["train.flops"] < full.measured["train.flops"]


def test_layers_that_share_weights_count_as_one(context, work):
    (sharing,) = bundled("layer-sharing").values()
    twice = {"repeats": 2, "start": "first"}
    model = METHOD.build(sharing.build(context.untouched(), twice, context), SETTING, context)
    trained = [any(p.requires_grad for p in layer.parameters()) for layer in model.layers]
    assert trained == [False, False, True, False]  # the second and fourth have no weights
    cost = METHOD.cost(sharing.cost(work, twice), SETTING)
    assert cost.trainable_parameters == sum(
        p.numel() for p in model.parameters() if p.requires_grad
    )


def test_another_answer_to_what_is_trained_is_refused(source):
    said = refusals({METHOD.name: SETTING, "head-only": {}}, source)
    assert any("both take the slot 'adaptation'" in sentence for sentence in said)
