"""near-dedup against comparing every pair of rows by brute force."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from effauto.task.examples import Examples

pytest.importorskip("datasketch", reason="near-dedup needs the extra dedup")
plugin = pytest.importorskip("effauto.bundled.near_dedup", reason="this plugin is not here")
duplicates = pytest.importorskip("effauto.bundled.near_dedup.duplicates")

THRESHOLD, SHINGLE = 0.8, 5
TEXT = (
    "the film was slow and far too long but its music stays with you for days after some people "
    "left early others wept openly near the end nobody i know would call it a comedy"
)
WORDS = TEXT.split()


@pytest.fixture(scope="module")
def examples() -> Examples:
    """350 random rows, and 150 that are one of them with one or two words changed."""
    chance = random.Random(0)
    rows = [chance.choices(WORDS, k=chance.randint(5, 30)) for _ in range(350)]
    for _ in range(150):
        changed = list(chance.choice(rows[:350]))
        for _ in range(chance.randint(1, 2)):
            changed[chance.randrange(len(changed))] = chance.choice(WORDS)
        rows.append(changed)
    chance.shuffle(rows)
    inputs = tuple((" ".join(row),) for row in rows)
    return Examples("text-classification", inputs, (0,) * len(inputs))


def test_recall_and_precision_against_all_pairs(examples):
    shingles = [duplicates.shingles_of(row, examples.kind, SHINGLE) for row in examples.inputs]
    near = {
        (a, b)
        for a, b in combinations(range(len(examples)), 2)
        if duplicates.jaccard(shingles[a], shingles[b]) >= THRESHOLD
    }
    kept = set(duplicates.distinct_rows(examples, THRESHOLD, SHINGLE))
    missed = {(a, b) for a, b in near if a in kept and b in kept}
    assert len(near) > 50
    assert len(missed) <= 0.05 * len(near)  # recall
    for row in set(range(len(examples))) - kept:  # precision: its earlier like was kept
        assert any(a in kept and b == row for a, b in near)


def test_equal_texts_become_one_row_with_their_usual_label():
    inputs = (("who is he",), ("where is it",), ("who is he",), ("who is he",))
    examples = Examples("text-classification", inputs, (0, 1, 2, 2))
    assert duplicates.distinct_rows(examples, THRESHOLD, SHINGLE) == [1, 2]


def test_nearly_equal_texts_of_two_classes_both_stay():
    inputs = (
        ("what is the capital of the state of france",),
        ("what is the capital of the state of francs",),
    )
    assert (
        len(duplicates.distinct_rows(Examples("text-classification", inputs, (0, 1)), 0.7, 5)) == 2
    )
    assert (
        len(duplicates.distinct_rows(Examples("text-classification", inputs, (1, 1)), 0.7, 5)) == 1
    )


def test_a_pair_is_not_its_mirror_image():
    inputs = (
        ("a man sleeps on a couch", "a man is awake"),
        ("a man is awake", "a man sleeps on a couch"),
    )
    examples = Examples("pair-classification", inputs, (1, 1))
    assert len(duplicates.distinct_rows(examples, 0.5, 5)) == 2


def test_tagged_sentences_are_compared_whatever_their_tags():
    words = ["he", "bought", "a", "small", "house", "by", "the", "sea", "in", "march"]
    inputs = (tuple(words), (*words, "."))
    targets = (tuple(range(10)), (*range(10), 11))
    examples = Examples("token-classification", inputs, targets)
    assert duplicates.distinct_rows(examples, THRESHOLD, SHINGLE) == [0]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9, 0.95, 0.97, 1.0])
def test_every_threshold_can_be_used(examples, threshold):
    kept = set(duplicates.distinct_rows(examples, threshold, SHINGLE))
    everything = set(duplicates.rows_without_repeats(examples))
    assert kept <= everything
    assert (len(kept) == len(everything)) == (threshold >= 0.95)


def test_prepare_keeps_the_order(examples, context):
    method = plugin.NearDedup()
    kept = method.prepare(examples, {"threshold": 1.0, "shingle": 5}, context)
    places = [examples.inputs.index(row) for row in kept.inputs]
    assert places == sorted(places)
    assert len(set(kept.inputs)) == len(kept)


def test_cost_is_hashing_and_nothing_else(work):
    cost = plugin.NearDedup().cost(work, {"threshold": 0.8, "shingle": 5})
    assert cost.host_seconds > work.host_seconds
    assert (cost.examples, cost.labels) == (work.examples, work.labels)
