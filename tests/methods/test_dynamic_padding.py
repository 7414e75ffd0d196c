"""dynamic-padding: fewer tokens, the same rows and the same gradients."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from topics import examples_of

from effauto import Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.dynamic_padding", reason="this plugin is not here")
METHOD = plugin.DynamicPadding()


def lengths_of(rows, seed=0):
    chance = random.Random(seed)
    return [min(90, 3 + int(chance.expovariate(1 / 15))) for _ in range(rows)]


def padded(length):
    return -(-length // 8) * 8


@pytest.mark.parametrize("rows", [1, 31, 33, 700, 5000])
def test_every_row_stands_in_one_batch(rows):
    order = random.Random(1).sample(range(rows), rows)
    batches = plugin.by_length(order, lengths_of(rows), 32, random.Random(2))
    assert sorted(row for batch in batches for row in batch) == list(range(rows))
    assert max(map(len, batches)) <= 32


def test_pools_keep_the_coarse_order():
    order = list(range(5000))
    batches = plugin.by_length(order, lengths_of(5000), 32, random.Random(2))
    first = [row for batch in batches[:50] for row in batch]
    assert sorted(first) == order[: 32 * 50]


@pytest.mark.parametrize("rows", [300, 700, 2000, 5000])
@pytest.mark.parametrize("size", [8, 32])
def test_the_cost_foretells_the_tokens(work, rows, size):
    lengths = lengths_of(rows)
    order = random.Random(1).sample(range(rows), rows)
    batches = plugin.by_length(order, lengths, size, random.Random(2))
    computed = sum(len(b) * padded(max(lengths[row] for row in b)) for b in batches) / rows
    given = replace(
        work,
        examples=rows,
        batch_size=size,
        request_tokens=sum(lengths) / rows,
        train_tokens=padded(max(lengths)),
    )
    assert METHOD.cost(given, {}).train_tokens == pytest.approx(computed, rel=0.15)


def test_padding_changes_no_answer(surroundings):
    context = surroundings(examples_of("text-classification", 20))
    model = context.untouched().eval()
    fixed = Training()
    encoded = encode_training(model, context.examples, fixed, context)
    rows = sorted(range(20), key=lambda row: encoded[row].length)[:4]
    batches = [
        collate(rows, encoded, context.examples, training, context)
        for training in (fixed, METHOD.train(fixed, {}, context))
    ]
    assert batches[1].tokens < batches[0].tokens
    with torch.inference_mode():
        wide, narrow = (model(**batch.inputs) for batch in batches)
    torch.testing.assert_close(narrow, wide, atol=1e-5, rtol=1e-4)
