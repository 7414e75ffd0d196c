"""mixed-precision: products in bfloat16, all that is kept in float32, and its costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import run
from saving import logits_of, predictor_of, saved
from topics import examples_of

from effauto import Hardware, Training, collate, encode_training
from effauto.checks.samples import MACHINE

plugin = pytest.importorskip("effauto.bundled.mixed_precision", reason="this plugin is not here")
METHOD = plugin.MixedPrecision()


@pytest.fixture
def step(surroundings):
    """A model, a batch, and the loss as a training of this method computes it."""
    context = surroundings(examples_of("text-classification", 12))
    model = context.untouched().eval()
    losses = []

    def fit(model, examples, training, context):
        losses.append(training.loss)
        return model

    given = Training(fit=fit)
    METHOD.train(given, {}, context).fit(model, context.examples, given, context)
    encoded = encode_training(model, context.examples, given, context)
    return model, collate(range(8), encoded, context.examples, given, context), losses[0]


def saved_bytes(compute):
    """Bytes that the graph of a loss keeps beside the parameters."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if not isinstance(tensor, torch.nn.Parameter):
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        compute()
    return sum(kept.values())


def test_products_are_in_bfloat16_and_numbers_that_stay_in_float32(step):
    model, batch, loss = step
    given = {}
    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.LayerNorm)):
            module.register_forward_hook(lambda m, i, out, name=name: given.update({name: out}))
    loss(model, batch).backward()
    for name, out in given.items():
        assert out.dtype == (torch.float32 if "LayerNorm" in name else torch.bfloat16), name
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


def test_gradients_are_nearly_those_of_float32(step):
    model, batch, loss = step
    gradients = []
    for compute in (Training().loss, loss):
        model.zero_grad()
        compute(model, batch).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.layers.parameters()]))
    exact, found = gradients
    assert not torch.equal(exact, found)
    assert torch.cosine_similarity(exact, found, dim=0) > 0.99


def test_a_loss_chosen_later_is_computed_alike(step, surroundings):
    """As a method with the slot objective sets it: within the fit that it was given."""
    model, batch, _ = step
    context = surroundings(examples_of("text-classification", 12))
    seen = []

    def asked(model, batch):
        seen.append(torch.is_autocast_enabled("cpu"))
        return model(**batch.inputs).float().sum()

    def fit(model, examples, training, context):
        training.loss(model, batch)
        return model

    inner = METHOD.train(Training(fit=fit), {}, context)
    inner.fit(model, context.examples, replace(inner, loss=asked), context)
    assert seen == [True]
    assert not torch.is_autocast_enabled("cpu")


def test_costs_are_a_shorter_product_and_fewer_bytes(work):
    cost = METHOD.cost(work, {})
    assert cost.train_compute == "bfloat16"
    assert (cost.compute, cost.layer_bits) == (work.compute, work.layer_bits)
    large = replace(work, batch_size=512.0)
    assert METHOD.cost(large, {}).activation_units < large.activation_units


def test_activations_shrink_as_foretold(context):
    """In a model whose weights are few beside its activations, as the cost model has them."""
    from transformers import BertConfig, BertModel

    from effauto.model.transformer import TaskModel

    config = BertConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=256
    )
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    model = TaskModel(BertModel(config, add_pooling_layer=False), "text-classification", 3)
    states = torch.randn(32, 128, 64, requires_grad=True)

    def layer():
        model.layers[1](states)

    def layer_in_bfloat16():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            layer()

    ratio = saved_bytes(layer_in_bfloat16) / saved_bytes(layer)
    assert ratio == pytest.approx(plugin.KEPT, abs=0.08)


def test_a_processor_without_the_instructions_is_refused():
    assert METHOD.needs.met(MACHINE)
    old: Hardware = replace(MACHINE, flags=frozenset({"avx2"}))
    assert "avx512_bf16" in METHOD.needs.met(old).reason


@pytest.mark.slow
def test_it_learns_and_survives_saving(surroundings, tmp_path):
    context = surroundings(examples_of("text-classification", 48))
    given = Training(epochs=4, learning_rate=3e-3, batch_size=8)
    training = METHOD.train(given, {}, context)
    model = training.fit(context.untouched(), context.examples, training, context)
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 36
    loaded = saved(predictor_of(model, context), METHOD, {}, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
def test_a_student_is_trained_in_it_and_its_teacher_is_not(source, tmp_path):
    ran = run(
        {
            "layer-drop": {"keep": 0.5},
            "full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8},
            "mixed-precision": {},
            "gradient-checkpointing": {},
            "distillation": {},
        },
        source,
        tmp_path,
    )
    assert ran.right > 0.8
