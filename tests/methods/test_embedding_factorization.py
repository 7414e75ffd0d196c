"""embedding-factorization against numpy's singular values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import logits_of, predictor_of, saved
from torch import nn

from effauto import EffautoError

plugin = pytest.importorskip(
    "effauto.bundled.embedding_factorization", reason="this plugin is not here"
)
table = pytest.importorskip("effauto.bundled.embedding_factorization.table")
METHOD = plugin.EmbeddingFactorization()
LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
HALF = {"rank_share": 0.5}


def test_the_error_is_that_of_eckart_and_young():
    torch.manual_seed(0)
    weight = torch.randn(300, 24) @ torch.randn(24, 24)
    values = np.linalg.svd(weight.double().numpy(), compute_uv=False)
    for rank in (1, 8, 23):
        narrow, directions = table.factors(weight, rank)
        error = np.linalg.norm((weight - narrow @ directions.T).double().numpy())
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), rel=1e-3)
        torch.testing.assert_close(directions.T @ directions, torch.eye(rank), atol=1e-5, rtol=0)


def test_words_are_looked_up_in_the_product(model, context):
    whole = model.encoder.get_input_embeddings().weight.detach().clone()
    METHOD.build(model, HALF, context)
    words = model.encoder.get_input_embeddings()
    narrow, back = words
    assert narrow.weight.shape == (30_522, 16)
    numbers = torch.tensor([[5, 9], [2000, 17]])
    torch.testing.assert_close(words(numbers), (narrow.weight @ back.weight.T)[numbers])
    left, values, right = np.linalg.svd(whole.numpy(), full_matrices=False)
    best = left[:, :16] * values[:16] @ right[:16]
    assert np.abs(words(numbers).detach().numpy() - best[numbers.numpy()]).max() < 1e-5


def test_it_survives_saving(model, context, tmp_path):
    model = METHOD.build(model, HALF, context)
    loaded = saved(predictor_of(model, context), METHOD, HALF, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        LEARNING | {"vocabulary-trim": {}, "layer-drop": {}, "distillation": {}},
        LEARNING | {"onnx-runtime": {"quantize": "int8-embeddings"}},
        LEARNING | {"int8-dynamic": {}, "int8-embedding": {}},
    ],
    ids=["fewer words and layers, a teacher", "onnx", "int8"],
)
def test_whole_recipes(source, tmp_path, others):
    steps = others | {"embedding-factorization": HALF}
    assert run(steps, source, tmp_path, rows=90).right > 0.5


def test_pairs_and_tags(source, tmp_path):
    for kind, others in (("pair-classification", {"bi-encoder": {}}), ("token-classification", {})):
        run(others | {"embedding-factorization": HALF}, source, tmp_path / kind, kind, rows=12)


def test_the_cost_counts_the_parameters_there_are(work, model, context):
    cost = METHOD.cost(work, HALF)
    METHOD.build(model, HALF, context)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert cost.parameters == pytest.approx(numbers, rel=1e-4)
    assert cost.trainable_parameters == pytest.approx(numbers, rel=1e-4)
    assert cost.token_flops == 2 * 16 * 32


def test_fewer_columns_never_cost_more(work):
    costs = [METHOD.cost(work, {"rank_share": share}) for share in (0.75, 0.33, 0.1)]
    for name in ("embedding_parameters", "trainable_parameters", "token_flops"):
        values = [getattr(cost, name) for cost in costs]
        assert values == sorted(values, reverse=True)


def test_small_tables_and_other_modules_are_refused(model, context):
    assert METHOD.fits(context.task, context.model)
    assert (
        "many more rows" in METHOD.fits(context.task, replace(context.model, vocabulary=64)).reason
    )
    model.encoder.set_input_embeddings(nn.Identity())
    with pytest.raises(EffautoError, match="by a Identity"):
        METHOD.build(model, HALF, context)


def test_it_makes_a_student(source):
    assert not refusals({"embedding-factorization": {}, "distillation": {}}, source)
