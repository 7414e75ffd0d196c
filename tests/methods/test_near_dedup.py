"""near-dedup against comparing every pair of rows by brute force."""

from __future__ import annotations

import json
import random

import numpy as np
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
    """1,400 random rows, and 600 that are one of them with one or two words changed."""
    chance = random.Random(0)
    rows = [chance.choices(WORDS, k=chance.randint(5, 30)) for _ in range(1400)]
    for _ in range(600):
        changed = list(chance.choice(rows[:1400]))
        for _ in range(chance.randint(1, 2)):
            changed[chance.randrange(len(changed))] = chance.choice(WORDS)
        rows.append(changed)
    chance.shuffle(rows)
    inputs = tuple((" ".join(row),) for row in rows)
    return Examples("text-classification", inputs, (0,) * len(inputs))


def test_recall_and_precision_against_all_pairs(examples):
    """Of 2,000 rows each is compared with each; the figures stand on the card."""
    near = near_pairs(examples)
    kept = set(duplicates.distinct_rows(examples, THRESHOLD, SHINGLE))
    found = sum(not (a in kept and b in kept) for a, b in near)
    gone = set(range(len(examples))) - kept
    rightly = sum(any(b == row and a in kept for a, b in near) for row in gone)
    recall, precision = found / len(near), rightly / len(gone)
    print(f"{len(near)} pairs, recall {recall:.4f}; {len(gone)} rows go, precision {precision:.4f}")
    assert len(near) > 200
    assert recall >= 0.98
    assert precision == 1.0  # candidates are compared exactly


def near_pairs(examples):
    """Every pair of rows with at least the threshold's Jaccard similarity, by counting them all."""
    rows = [duplicates.shingles_of(row, examples.kind, SHINGLE) for row in examples.inputs]
    places = {gram: place for place, gram in enumerate(sorted(set().union(*rows)))}
    held = np.zeros((len(rows), len(places)), dtype=np.float32)
    for row, grams in enumerate(rows):
        held[row, [places[gram] for gram in grams]] = 1.0
    both, sizes = held @ held.T, held.sum(axis=1)
    similar = both >= THRESHOLD * (sizes[:, None] + sizes - both)
    return [(int(a), int(b)) for a, b in zip(*np.nonzero(similar), strict=True) if a < b]


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
    assert len(kept) < len(everything) or threshold >= 0.95


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


def test_leaks_across_splits_are_reported(cli, tmp_path):
    words = TEXT.split()
    lines = {
        "train": [" ".join(words[start : start + 12]) for start in range(22)],
        "validation": ["a wholly different text about boats", " ".join(words[:12]) + " a"],
        "test": [
            " ".join(words[5:17]).upper() + " SO",
            "nothing of the kind",
            "nor this one, my dear",
        ],
    }
    for split, texts in lines.items():
        rows = [json.dumps({"text": t, "label": "ab"[n % 2]}) for n, t in enumerate(texts)]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows) + "\n")
    said = cli("leaks", "--data", tmp_path)
    assert said.exit_code == 0, said.output
    assert "validation: 1 of 2 rows (50.0%)" in said.output
    found = json.loads(cli("leaks", "--data", tmp_path, "--format", "json").output)
    assert [entry["leaked"] for entry in found["splits"]] == [1, 1]
