"""The bag of words on all three kinds of task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sample_tasks import CLASSES, classes_of, examples_of

from effauto.errors import InputError, ModelError
from effauto.execution.linear import LinearPredictor, fit_linear

KINDS = ("text-classification", "pair-classification", "token-classification")
LEAST = dict(zip(KINDS, (0.95, 0.6, 0.95), strict=True))


def accuracy(found, examples):
    return np.mean([a == b for a, b in zip(found, examples.targets, strict=True)])


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_answers_alike_when_reopened(kind, tmp_path):
    train, test = examples_of(kind, 300), examples_of(kind, 60, seed=1)
    model = fit_linear(train, classes_of(kind), seed=0)
    found = model.predict_indices(test.inputs)
    assert accuracy(found, test) > LEAST[kind]
    assert model.predict_indices(test.inputs, 7) == found
    model.save(tmp_path)
    again = LinearPredictor.open(tmp_path, kind, classes_of(kind))
    assert again.predict_indices(test.inputs) == found
    assert again.parameters == model.parameters
    assert not list(tmp_path.glob("*.pkl"))


def test_labels_are_answered_by_name():
    texts = fit_linear(examples_of("text-classification", 300), CLASSES, 0)
    assert texts.predict(["snow and ice", "a warm fire"]) == ["ice", "fire"]
    tagger = fit_linear(examples_of("token-classification", 300), CLASSES, 0)
    assert tagger.predict([["snow", "winter"], []]) == [["ice", "ice"], []]
    assert texts.predict([]) == tagger.predict([]) == []


def test_training_is_reproducible():
    train = examples_of("token-classification", 100)
    one, two = (fit_linear(train, CLASSES, seed=3) for _ in range(2))
    assert np.array_equal(one.weights, two.weights)


@pytest.mark.parametrize("present", [(0, 2), (0, 1, 2)])
def test_a_class_without_rows_is_never_answered(present):
    examples = examples_of("text-classification", 120)
    rows = [row for row, target in enumerate(examples.targets) if target in present]
    model = fit_linear(examples.select(rows), (*CLASSES, "never"), 0)
    found = model.predict_indices(examples.select(rows).inputs)
    assert accuracy(found, examples.select(rows)) > 0.95


def test_unseen_words_are_no_failure():
    model = fit_linear(examples_of("text-classification", 90), CLASSES, 0)
    assert model.predict(["", "zzz", "日本語"])[0] in CLASSES


@pytest.mark.parametrize(
    ("kind", "inputs", "message"),
    [
        ("text-classification", "one text", "not one text: put it in a list"),
        ("text-classification", [("a", "b")], "a list of texts; input 0 is"),
        ("text-classification", ["a", 7], "input 1 is 7"),
        ("pair-classification", ["a"], "a list of .text_a, text_b. pairs; input 0 is 'a'"),
        ("pair-classification", [("a", None)], "input 0 is"),
        ("token-classification", ["a b"], "a list of lists of words; input 0 is 'a b'"),
    ],
)
def test_inputs_of_another_kind_are_refused(kind, inputs, message):
    model = fit_linear(examples_of(kind, 60), classes_of(kind), 0)
    with pytest.raises(InputError, match=message):
        model.predict(inputs)


def test_what_training_took_is_counted():
    small = fit_linear(examples_of("text-classification", 60), CLASSES, 0)
    large = fit_linear(examples_of("text-classification", 600), CLASSES, 0)
    assert 0 < small.operations < large.operations
    rows = examples_of("text-classification", 60).inputs
    assert small.request_operations(rows) == pytest.approx(2 * 3 * small.features.of(rows).nnz / 60)


@pytest.mark.parametrize("file", ["model.safetensors", "vocabulary.json"])
def test_a_damaged_folder_is_refused(tmp_path, file):
    model = fit_linear(examples_of("text-classification", 60), CLASSES, 0)
    model.save(tmp_path)
    (tmp_path / file).write_bytes(b"{")
    with pytest.raises(ModelError, match="cannot be read"):
        LinearPredictor.open(tmp_path, "text-classification", CLASSES)


def test_examples_are_not_changed():
    train = examples_of("pair-classification", 60)
    before = replace(train)
    fit_linear(train, classes_of("pair-classification"), 0)
    assert train == before
