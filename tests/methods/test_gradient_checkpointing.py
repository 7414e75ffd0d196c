"""gradient-checkpointing: the same gradients from fewer numbers kept, and off when it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import run
from topics import examples_of

from effauto import EffautoError, Training, collate, encode_training
from effauto.cost.flops import train_flops
from effauto.execution.meter import flop_counter
from effauto.execution.tracing.recorder import Recorder

plugin = pytest.importorskip(
    "effauto.bundled.gradient_checkpointing", reason="this plugin is not here"
)
METHOD = plugin.GradientCheckpointing()


@pytest.fixture
def gradients(surroundings):
    """Gradients of one step with dropout, bytes kept for it and operations, with this fit."""

    def gradients(change=lambda training: training, freeze=False):
        context = surroundings(examples_of("text-classification", 8))
        model = context.untouched()
        model.encoder.requires_grad_(not freeze)
        model.layers[2].output.dense.bias.requires_grad_(True)
        found = {}

        def one_step(model, examples, training, context):
            encoded = encode_training(model, examples, training, context)
            batch = collate(range(8), encoded, examples, training, context)
            model.train()
            torch.manual_seed(0)
            with flop_counter() as counter:
                found["bytes"] = saved_bytes(lambda: training.loss(model, batch).backward())
            found["flops"] = counter.get_total_flops()
            return model

        training = change(Training(fit=one_step))
        model = training.fit(model, context.examples, training, context)
        given = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        return given, found, model

    return gradients


def saved_bytes(compute):
    """Bytes that the graph keeps where no checkpoint keeps its own."""
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        compute()
    return sum(kept.values())


def checkpointed(training):
    return METHOD.train(training, {}, None)


@pytest.mark.parametrize("freeze", [False, True], ids=["all", "one bias"])
def test_gradients_and_dropout_are_those_without(gradients, freeze):
    plain, _, _ = gradients(freeze=freeze)
    found, _, model = gradients(checkpointed, freeze)
    assert plain.keys() == found.keys()
    for name, gradient in plain.items():
        assert torch.equal(found[name], gradient), name
    assert not any(getattr(m, "gradient_checkpointing", False) for m in model.modules())


def test_less_is_kept_and_a_forward_pass_comes_on_top(gradients, work):
    _, plain, _ = gradients()
    _, found, _ = gradients(checkpointed)
    assert found["bytes"] < 0.7 * plain["bytes"]
    one_step = replace(work, forward_passes=1.0, backward_passes=1.0)
    foretold = train_flops(METHOD.cost(one_step, {})) / train_flops(one_step)
    # the last product of a layer is left out, since no gradient asks for it
    assert found["flops"] / plain["flops"] == pytest.approx(foretold, rel=0.1)


def test_it_is_off_even_if_training_fails(model, context):
    def fit(model, *rest):
        assert any(getattr(m, "gradient_checkpointing", False) for m in model.modules())
        raise RuntimeError("stopped")

    training = METHOD.train(Training(fit=fit), {}, context)
    with pytest.raises(RuntimeError, match="stopped"):
        training.fit(model, None, training, context)
    assert not any(getattr(m, "gradient_checkpointing", False) for m in model.modules())


@pytest.mark.parametrize("family", ["DistilBert", "Roberta", "GPT2", "Llama", "ModernBert"])
def test_other_families_have_checkpoints_too(context, family):
    import transformers

    from effauto import TaskModel

    config = getattr(transformers, f"{family}Config")(vocab_size=30, pad_token_id=0)
    config.num_hidden_layers, config.num_attention_heads = 2, 2
    config.hidden_size = config.intermediate_size = 16
    if family == "Llama":
        config.num_key_value_heads, config.head_dim = 2, 8
    body = getattr(transformers, f"{family}Model")(config)
    model = TaskModel(body, "text-classification", 2)
    numbers = {"input_ids": torch.ones(2, 4).long(), "attention_mask": torch.ones(2, 4).long()}
    found = []

    def fit(model, *rest):
        model.train()
        torch.manual_seed(0)
        model.zero_grad()
        model(**numbers).sum().backward()
        found.append([p.grad for p in model.layers.parameters()])
        return model

    fit(model)
    training = METHOD.train(Training(fit=fit), {}, context)
    training.fit(model, None, training, context)
    for plain, gradient in zip(*found, strict=True):
        torch.testing.assert_close(plain, gradient)


def test_a_body_without_checkpoints_is_refused(model, context):
    model.encoder = torch.nn.Linear(2, 2)
    training = METHOD.train(Training(), {}, context)
    with pytest.raises(EffautoError, match="no checkpoints in Linear"):
        training.fit(model, None, training, context)


def test_costs_trade_memory_for_operations(work, context):
    cost = METHOD.cost(work, {})
    assert cost.activation_units == 1 + work.activation_units / 4
    assert cost.passes == work.passes + work.backward_passes
    shallow = replace(work, layers=1.0)
    assert METHOD.cost(shallow, {}).activation_units == work.activation_units
    assert METHOD.fits(context.task, context.model)
    assert "two layers" in METHOD.fits(context.task, replace(context.model, layers=1)).reason


@pytest.mark.slow
@pytest.mark.parametrize("adaptation", ["full-finetune", "lora", "bitfit"])
def test_whole_recipes_come_out_the_same(source, tmp_path, adaptation):
    rates = {"full-finetune": 1e-3, "lora": 1e-2, "bitfit": 2e-2}
    settings = {
        adaptation: {"epochs": 2, "learning_rate": rates[adaptation]},
        "gradient-checkpointing": {},
        "dynamic-padding": {},
    }
    ran = run(settings, source, tmp_path)
    plain = run({adaptation: settings[adaptation], "dynamic-padding": {}}, source, tmp_path / "2")
    assert ran.right == plain.right  # to the last bit, dropout included
    assert ran.measured["train.flops"] > 1.2 * plain.measured["train.flops"]


@pytest.mark.parametrize("freeze", [False, True], ids=["all", "one bias"])
def test_counting_operations_keeps_nothing_that_checkpoints_free(surroundings, freeze):
    """Tensors alive at once in a step, as the recorder sees them while operations are counted."""

    def peak(change):
        context = surroundings(examples_of("text-classification", 96))
        model = context.untouched()
        model.encoder.requires_grad_(not freeze)
        model.layers[2].output.dense.bias.requires_grad_(True)
        recorder = Recorder()

        def one_step(model, examples, training, context):
            encoded = encode_training(model, examples, training, context)
            batch = collate(range(96), encoded, examples, training, context)
            model.train()
            with recorder.watching():
                training.loss(model, batch).backward()
            return model

        training = change(Training(fit=one_step))
        training.fit(model, context.examples, training, context)
        return recorder.peak_bytes

    assert peak(checkpointed) < peak(lambda training: training)
