"""bf16-weights: half the bytes, nearly the same answers, saved and loaded bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from saving import logits_of, predictor_of, saved, tensor_bytes

plugin = pytest.importorskip("effauto.bundled.bf16_weights", reason="this plugin is not here")
METHOD = plugin.Bf16Weights()


def test_it_survives_saving_in_half_the_bytes(model, context, tmp_path):
    exact = logits_of(model)
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    model = METHOD.compress(model, {}, context)
    loaded = saved(predictor_of(model, context), METHOD, {}, tmp_path / "model")
    assert tensor_bytes(tmp_path / "model") == 2 * numbers
    answers = logits_of(loaded.runtime.model)
    assert answers.dtype == np.float32
    assert (answers == logits_of(model)).all()
    assert np.abs(answers - exact).max() < 0.05 * np.abs(exact).max()


def test_every_parameter_is_rounded_to_the_nearest(model, context):
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    METHOD.compress(model, {}, context)
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.bfloat16
        error = (parameter.float() - before[name]).abs()
        assert (error <= before[name].abs() * 2**-8).all()


def test_rotary_frequencies_keep_their_precision(context):
    from transformers import LlamaConfig, LlamaModel

    from effauto.model.transformer import TaskModel

    config = LlamaConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        vocab_size=30_522,
    )
    model = TaskModel(LlamaModel(config), "text-classification", 3, pooling="last").eval()
    METHOD.compress(model, {}, context)
    assert {buffer.dtype for buffer in model.buffers()} == {torch.float32}
    assert np.isfinite(logits_of(model)).all()


def test_cost_is_sixteen_bits(work):
    cost = METHOD.cost(work, {})
    assert (cost.layer_bits, cost.embedding_bits, cost.compute) == (16, 16, "bfloat16")
