"""static-embeddings: its vectors against the network's own, and the model that it leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import logits_of, predictor_of, saved
from sklearn.decomposition import PCA
from topics import examples_of

from effauto import TaskModel
from effauto.checks.samples import TASKS
from effauto.cost import flops
from effauto.execution.encoding import read_tokenizer
from effauto.model.transformer import describe, from_config, save_config

plugin = pytest.importorskip("effauto.bundled.static_embeddings", reason="this plugin is not here")
distil = pytest.importorskip("effauto.bundled.static_embeddings.distil")
table = pytest.importorskip("effauto.bundled.static_embeddings.table")
METHOD = plugin.StaticEmbeddings()
SETTING = {"dims": 64, "tuned": True, "epochs": 4, "learning_rate": 3e-2}


@pytest.fixture
def distilled(surroundings):
    """A model whose body has become a table, for examples of a kind."""

    def distilled(kind="text-classification", setting=SETTING, rows=48):
        context = surroundings(examples_of(kind, rows))
        model = context.untouched()
        if kind == "pair-classification":
            model.pair_separately()
        return METHOD.build(model, setting, context), context

    return distilled


def test_each_piece_is_read_as_if_it_were_a_text(model, context):
    tokenizer = context.encoding(model).tokenizer
    vectors = distil.read_alone(model, tokenizer, context)
    assert vectors.shape == (30_522, 32)
    for word in ("fire", "snow", "##ing"):
        numbers = torch.tensor([[101, tokenizer.token_to_id(word), 102]])
        with torch.inference_mode():
            expected = model.features(numbers, torch.ones_like(numbers))
        torch.testing.assert_close(vectors[tokenizer.token_to_id(word)], expected[0])
    assert context.meter.flops.tokens["vocabulary"] == 3 * 30_522


def test_vectors_are_shortened_as_by_scikit_learn():
    vectors = np.random.default_rng(0).normal(size=(80, 12)) @ np.diag(np.arange(1, 13))
    expected = PCA(5, svd_solver="full").fit_transform(vectors)
    found = distil.shortened(vectors, 5)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-8)
    assert distil.shortened(vectors, 64).shape == (80, 12)


def test_frequent_pieces_count_less():
    found = distil.weights([np.array([1, 1, 1, 2]), np.array([1])], 4)
    shares = np.array([1, 5, 2, 1]) / 9
    np.testing.assert_allclose(found, 1e-3 / (1e-3 + shares))


def test_a_text_is_the_mean_of_its_pieces(distilled):
    model, context = distilled()
    encoded = context.encoding(model).encode(context.examples.inputs, 128)
    words = model.encoder.words.weight.detach()
    expected = torch.stack([words[list(row.sides[0])].mean(0) for row in encoded])
    arrays = context.pad(encoded)
    with torch.inference_mode():
        found = model.features(**{name: torch.from_numpy(a) for name, a in arrays.items()})
    torch.testing.assert_close(found, expected)
    assert expected.std().item() == pytest.approx(1.0, rel=0.05)
    assert (words[[0, 101, 102]] == 0).all()


@pytest.mark.parametrize("tuned", [False, True])
def test_what_is_trained_is_what_is_foretold(distilled, work, tuned):
    setting = SETTING | {"tuned": tuned}
    model, _ = distilled(setting=setting)
    cost = METHOD.cost(work, setting)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert cost.trainable_parameters == trained
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert (cost.layers, cost.width) == (0, 32)
    assert flops.request_flops(cost) < 1e-2 * flops.request_flops(work)


@pytest.mark.parametrize("kind", ["text-classification", "pair-classification"])
def test_it_survives_saving(distilled, tmp_path, kind):
    model, context = distilled(kind)
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model, 4) == logits_of(model, 4)).all()


@pytest.mark.parametrize("family", ["DistilBert", "Roberta", "GPT2", "Llama", "ModernBert"])
def test_an_emptied_network_of_any_family_can_be_built(family, tmp_path):
    import transformers

    config = getattr(transformers, f"{family}Config")(vocab_size=30, pad_token_id=0)
    model = TaskModel(table.WordTable(table.emptied(config, 8)), "text-classification", 2)
    save_config(model, tmp_path)
    network = describe(model)
    built = from_config(tmp_path, "text-classification", 2, network["pooling"], network["pairing"])
    restored = METHOD.restore(built, SETTING)
    assert restored.encoder.words.weight.shape == (30, 8)
    assert restored.head.weight.shape == (2, 8)


def test_marks_are_found_in_a_tokenizer(source):
    tokenizer = read_tokenizer(source.files)
    assert distil._frame(tokenizer) == ([101], [102])
    assert {0, 100, 101, 102, 103} <= set(distil.marks(tokenizer))


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        {"layer-drop": {"keep": 0.5}},
        {"length-curriculum": {}, "optimizer": {"kind": "lion"}},
    ],
)
def test_whole_recipes_tell_topics_apart(source, tmp_path, others):
    setting = SETTING | {"epochs": 20}
    assert run({**others, "static-embeddings": setting}, source, tmp_path).right > 0.9


def test_what_needs_layers_is_refused_with_the_reason(source):
    for other in ("lora", "int8-dynamic", "onnx-runtime"):
        said = refusals({"static-embeddings": {}, other: {}}, source)
        assert any("which static-embeddings takes away" in sentence for sentence in said)


def test_costs_grow_with_dims(work):
    wide = replace(work, width=384.0)
    costs = [METHOD.cost(wide, SETTING | {"dims": dims}) for dims in (64, 128, 256)]
    sizes = [cost.parameters for cost in costs]
    assert sizes == sorted(sizes)


def test_tags_are_refused(context):
    assert METHOD.fits(context.task, context.model)
    assert "neighbours" in METHOD.fits(TASKS[3], context.model).reason
