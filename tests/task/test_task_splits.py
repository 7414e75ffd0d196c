"""Splits are made reproducibly, and no row of one stands in another."""

import random
from collections import Counter
from itertools import combinations

import pytest

from effauto.task import load_task
from effauto.task.rows import normalised


def texts(examples):
    return {normalised(fields, examples.kind) for fields in examples.inputs}


def assert_disjoint(task):
    for one, other in combinations((task.train, task.validation, task.test), 2):
        assert not texts(one) & texts(other)


def test_both_splits_are_made_stratified(write, reviews):
    task = load_task(write("t.jsonl", reviews))
    assert [len(s) for s in (task.train, task.validation, task.test)] == [80, 10, 10]
    assert Counter(task.test.targets) == {0: 2, 1: 8}
    assert Counter(task.validation.targets) == {0: 2, 1: 8}
    assert task.notes == (
        "test was made of 10 of the 100 rows given for training",
        "validation was made of 10 of the 100 rows given for training",
    )
    assert_disjoint(task)


@pytest.mark.parametrize(("given", "sizes"), [("test", (72, 8, 20)), ("validation", (64, 20, 16))])
def test_one_missing_split_is_made(write, reviews, given, sizes):
    write("d/train.jsonl", reviews[:80])
    task = load_task(write(f"d/{given}.jsonl", reviews[80:]).parent)
    assert (len(task.train), len(task.validation), len(task.test)) == sizes
    assert_disjoint(task)


def test_rows_keep_their_order(write, reviews):
    task = load_task(write("t.jsonl", reviews), max_rows=40)
    for split in (task.train, task.validation, task.test):
        numbers = [int(text.split()[2].rstrip(",")) for text in split.texts]
        assert numbers == sorted(numbers)


def test_the_seed_decides_the_split_and_the_order_of_rows_does_not(write, reviews):
    task = load_task(write("t.jsonl", reviews))
    shuffled = load_task(write("u.jsonl", random.Random(1).sample(reviews, len(reviews))))
    assert texts(task.test) == texts(shuffled.test)
    assert texts(task.validation) == texts(shuffled.validation)
    assert texts(task.test) != texts(load_task(write("t.jsonl", reviews), seed=1).test)


def test_equal_texts_stay_together(write, reviews):
    twins = [{**row, "text": row["text"].upper().replace(" ", "  ")} for row in reviews]
    task = load_task(write("t.jsonl", reviews + twins))
    assert_disjoint(task)
    assert task.traits.duplicate_share == pytest.approx(0.5)


def test_rare_labels_stay_in_train(write, reviews):
    rare = [{"text": f"rare {n}", "label": f"rare {n}"} for n in range(5)]
    task = load_task(write("t.jsonl", rare + reviews))
    assert len(task.classes) == 7
    assert set(task.test.targets) | set(task.validation.targets) == {0, 1}


def test_rows_of_train_that_also_stand_in_test_are_dropped_and_reported(write, reviews):
    write("d/train.jsonl", reviews[:80])
    write("d/validation.jsonl", reviews[70:90])
    leaked = [{**row, "text": row["text"].upper()} for row in reviews[75:]]
    task = load_task(write("d/test.jsonl", leaked).parent)
    assert (len(task.train), len(task.validation), len(task.test)) == (70, 5, 25)
    assert task.notes == (
        "15 of 25 test rows also stand in validation: 15 of 20 validation rows were dropped",
        "5 of 25 test rows also stand in train: 5 of 80 train rows were dropped",
        "5 of 5 validation rows also stand in train: 5 of 75 train rows were dropped",
    )
    assert_disjoint(task)


def test_validation_that_is_the_test_split_is_made_anew(write, reviews):
    write("d/train.jsonl", reviews[:80])
    write("d/validation.jsonl", reviews[80:])
    task = load_task(write("d/test.jsonl", reviews[80:]).parent)
    assert (len(task.train), len(task.validation), len(task.test)) == (72, 8, 20)
    assert "no validation row was left, so validation is taken from train" in task.notes
    assert_disjoint(task)


def test_a_cap_keeps_the_shares_of_the_labels_and_every_label(write, reviews):
    rare = [{"text": f"rare {n}", "label": "rare"} for n in range(2)]
    path = write("t.jsonl", reviews + rare)
    task = load_task(path, max_rows=30)
    assert Counter(task.train.targets) == pytest.approx({0: 6, 1: 23, 2: 1}, abs=1)
    assert len(task.test) == 10
    assert "train was capped at 30 of its 82 rows" in task.notes
    assert task == load_task(path, max_rows=30)


def test_validation_is_capped_with_train_and_test_never(write):
    def rows(split, count):
        return [{"text": f"{split} {n}", "label": "xy"[n % 2]} for n in range(count)]

    write("d/train.jsonl", rows("train", 3000))
    write("d/validation.jsonl", rows("validation", 1000))
    folder = write("d/test.jsonl", rows("test", 9000)).parent
    sizes = {}
    for most in (100, 2400):
        task = load_task(folder, max_rows=most)
        sizes[most] = len(task.train), len(task.validation), len(task.test)
    assert sizes == {100: (100, 500, 9000), 2400: (2400, 600, 9000)}


def test_traits_describe_the_training_rows(write, reviews):
    path = write("t.jsonl", reviews)
    traits = load_task(path, metric="macro_f1").traits
    assert (traits.kind, traits.metric) == ("text-classification", "macro_f1")
    assert (traits.examples, traits.classes, traits.majority_share) == (80, 2, 0.8)
    assert traits.tokens_mean == traits.tokens_max == 8  # five words


def test_traits_use_the_tokenizer_they_are_given(write, reviews):
    def count(inputs, kind):
        assert len(inputs) == 2_000
        return [len(text) for (text,) in inputs]

    write("d/train.jsonl", [*reviews * 40, {"text": "x" * 900, "label": "good"}])
    folder = write("d/test.jsonl", [{"text": "new", "label": "good"}]).parent
    traits = load_task(folder, count_tokens=count).traits
    assert (traits.tokens_p95, traits.tokens_max) == (24, 900)
    assert 24 < traits.tokens_mean < 25


def test_the_fingerprint_changes_with_the_content(write, reviews):
    prints = {
        load_task(write("t.jsonl", reviews)).fingerprint,
        load_task(write("t.jsonl", reviews), metric="macro_f1").fingerprint,
        load_task(write("t.jsonl", reviews[:-1])).fingerprint,
        load_task(write("t.jsonl", [*reviews[:-1], {"text": "x", "label": "good"}])).fingerprint,
        load_task(write("t.jsonl", [*reviews[:-1], {**reviews[-1], "label": "bad"}])).fingerprint,
    }
    assert len(prints) == 5
    assert all(len(value) == 16 for value in prints)
