"""int8-embedding against the definition of quantization."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import run
from saving import logits_of, predictor_of, saved, tensor_bytes
from topics import examples_of

from effauto.cost.memory import train_peak

plugin = pytest.importorskip("effauto.bundled.int8_embedding", reason="this plugin is not here")
table = pytest.importorskip("effauto.bundled.int8_embedding.table")
METHOD = plugin.Int8Embedding()


def test_numbers_are_rounded_by_half_a_step_at_most():
    torch.manual_seed(0)
    weight = torch.randn(50, 16)
    numbers, scale = table.quantized(weight)
    assert (numbers.abs().amax(dim=1) == 127).all()
    assert ((numbers * scale[:, None] - weight).abs() <= scale[:, None] * 0.5001).all()
    found = table.Int8Table(numbers, scale)(torch.tensor([[3, 7], [7, 49]]))
    expected = (numbers * scale[:, None])[torch.tensor([[3, 7], [7, 49]])]
    torch.testing.assert_close(found, expected)


def test_a_row_of_zeros_stays_zero():
    numbers, scale = table.quantized(torch.tensor([[0.0, 0.0], [0.0, -2.0]]))
    assert torch.equal(numbers * scale[:, None], torch.tensor([[0.0, 0.0], [0.0, -2.0]]))


def test_it_survives_saving_and_is_as_small_as_foretold(model, context, work, tmp_path):
    exact = logits_of(model)
    model = METHOD.compress(model, {}, context)
    loaded = saved(predictor_of(model, context), METHOD, {}, tmp_path / "model")
    answers = logits_of(loaded.runtime.model)
    assert (answers == logits_of(model)).all()
    assert np.abs(answers - exact).max() < 0.05 * np.abs(exact).max()
    cost = METHOD.cost(work, {})
    layers = cost.layers * cost.layer_parameters * cost.layer_bits
    bits = layers + cost.embedding_parameters * cost.embedding_bits + 32 * cost.head_parameters
    assert bits / 8 == pytest.approx(tensor_bytes(tmp_path / "model"), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        {"bf16-weights": {}},
        {"int8-dynamic": {"embeddings": False}},
        {"int8-dynamic": {"embeddings": True}},
        {"onnx-runtime": {"quantize": "int8-embeddings"}},
        {"vocabulary-trim": {}, "layer-sharing": {}, "magnitude-pruning": {}},
        {"embedding-factorization": {}},
    ],
    ids=[
        "bfloat16",
        "int8",
        "int8 already",
        "onnx",
        "fewer words, shared and sparse layers",
        "a narrow table",
    ],
)
def test_whole_recipes(source, tmp_path, others):
    learning = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
    assert run(learning | others | {"int8-embedding": {}}, source, tmp_path, rows=90).right > 0.5


def test_a_table_that_is_all_there_is(source, tmp_path):
    ran = run({"static-embeddings": {"dims": 64}, "int8-embedding": {}}, source, tmp_path, rows=30)
    assert isinstance(ran.predictor.runtime.model.encoder.words, table.Int8Table)


def test_a_table_that_is_quantized_already_stays_as_it_is(model, context):
    once = METHOD.compress(model, {}, context).encoder.get_input_embeddings()
    twice = METHOD.compress(model, {}, context).encoder.get_input_embeddings()
    assert twice is once
    assert isinstance(twice, table.Int8Table)


def test_only_the_words_change(surroundings):
    context = surroundings(examples_of("text-classification", 6))
    before = {name: tensor.clone() for name, tensor in context.untouched().state_dict().items()}
    after = METHOD.compress(context.untouched(), {}, context).state_dict()
    changed = {n for n, tensor in after.items() if n not in before or not before[n].equal(tensor)}
    words = "encoder.embeddings.word_embeddings"
    assert changed == {f"{words}.weight", f"{words}.scale"}


def test_cost(work, context):
    cost = METHOD.cost(work, {})
    assert 8 < cost.embedding_bits < 11
    assert replace(cost, before=()) == replace(work, embedding_bits=cost.embedding_bits)
    assert train_peak(cost) >= 4 * work.parameters + 8 * work.vocabulary * work.width
    assert METHOD.cost(cost, {}).embedding_bits <= cost.embedding_bits
    assert "has none" in METHOD.fits(context.task, replace(context.model, vocabulary=0)).reason
