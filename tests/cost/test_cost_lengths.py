"""What padding makes of lengths, foretold and really batched."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import TASK, encoder

from effauto.lengths import LONGEST, PAD_TO, Lengths
from effauto.traits import TaskTraits
from effauto.workload import BASELINE, Workload

counts = st.lists(st.integers(0, 2 * LONGEST), min_size=1, max_size=60)


def padded(tokens):
    return max(PAD_TO, -(-min(tokens, LONGEST) // PAD_TO) * PAD_TO)


@given(counts)
def test_lengths_are_those_of_inputs_padded_alone(tokens):
    lengths, alone = Lengths.of(tokens), sorted(map(padded, tokens))
    assert lengths.mean == pytest.approx(mean(alone))
    assert lengths.longest == alone[-1]
    assert lengths.median == alone[len(alone) // 2]
    assert lengths.alone().square == pytest.approx(mean(n * n for n in alone))
    assert lengths.inputs == len(tokens)


@given(counts, st.integers(1, 1000))
def test_a_cut_keeps_the_inputs_and_shortens_the_long(tokens, most):
    cut = Lengths.of(tokens).cut(most)
    assert cut == Lengths.of(min(count, padded(most)) for count in tokens)


@given(counts, st.floats(0.1, 1e6))
def test_the_longest_of_more_is_longer(tokens, inputs):
    lengths = Lengths.of(tokens)
    few, many = lengths.longest_of(inputs), lengths.longest_of(2 * inputs)
    assert few <= many * (1 + 1e-9)
    assert many <= lengths.longest * (1 + 1e-9)
    assert lengths.longest_of(1) == pytest.approx(lengths.mean)


def told(tokens) -> Workload:
    counted = Lengths.of(tokens).counts
    task = replace(TASK, examples=len(tokens), tokens_mean=mean(tokens), length_counts=counted)
    return Workload.untouched(task, encoder())


@given(st.integers(0, 20), st.integers(300, 3000))
def test_sorted_batches_are_foretold(seed, rows):
    chance = random.Random(seed)
    tokens = [round(min(600, chance.lognormvariate(3, 0.7)) + 3) for _ in range(rows)]
    work = told(tokens)
    size = BASELINE.batch_size
    ordered = sorted(min(padded(count), BASELINE.max_tokens) for count in tokens)
    batches = [ordered[start : start + size] for start in range(0, rows, size)]
    together = work.by_length()
    really = sum(len(batch) * batch[-1] for batch in batches) / rows
    assert together.train_tokens == pytest.approx(really, rel=0.01)
    squared = sum(len(batch) * batch[-1] ** 2 for batch in batches) / rows
    assert together.unevenness * together.train_tokens**2 == pytest.approx(squared, rel=0.01)
    assert work.longest_tokens == ordered[-1]


@given(st.integers(0, 20), st.integers(60, 400), st.integers(1, 5))
@settings(deadline=None)
def test_pools_are_foretold_in_the_mean(seed, rows, batches):
    chance = random.Random(seed)
    tokens = [round(min(600, chance.lognormvariate(3, 0.7)) + 3) for _ in range(rows)]
    alone = [min(padded(count), BASELINE.max_tokens) for count in tokens]
    size = 8
    work = replace(told(tokens), batch_size=size)
    found = mean(really_pooled(alone, batches * size, size, chance) for _ in range(60))
    assert work.by_length(batches * size).train_tokens == pytest.approx(found, rel=0.02)


def really_pooled(alone, pool, size, chance):
    """Word pieces computed for a row, in the mean, in one epoch."""
    mixed, total = chance.sample(alone, len(alone)), 0
    for start in range(0, len(mixed), pool):
        rows = sorted(mixed[start : start + pool])
        batches = [rows[first : first + size] for first in range(0, len(rows), size)]
        total += sum(len(batch) * batch[-1] for batch in batches)
    return total / len(alone)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
def test_some_of_the_rows_are_padded_to_a_shorter_longest(share):
    chance = random.Random(0)
    tokens = [round(chance.lognormvariate(3, 0.5)) + 3 for _ in range(200)]
    part = told(tokens).on_share(share)
    alone = [min(padded(count), BASELINE.max_tokens) for count in tokens]
    found = mean(max(chance.sample(alone, round(share * 200))) for _ in range(2000))
    assert part.train_tokens == pytest.approx(found, rel=0.02)
    assert part.longest_tokens == part.train_tokens


def test_texts_of_a_pair_are_as_long_as_the_longer_one():
    counted, sides = Lengths.of([30, 50, 70]).counts, Lengths.of([20, 30, 40]).counts
    task = replace(TASK, examples=3, length_counts=counted, side_counts=sides)
    apart = Workload.untouched(task, encoder()).apart()
    assert (apart.train_tokens, apart.inputs) == (2 * 40, 2)
    assert apart.read_once().train_tokens == 2 * 40  # one batch
    assert replace(apart, batch_size=1).by_length().train_tokens == 2 * (24 + 32 + 40) / 3


def test_what_is_prepended_is_never_padding():
    counted = Lengths.of([8, 16, 24]).counts
    work = Workload.untouched(replace(TASK, examples=3, length_counts=counted), encoder())
    longer = work.prepend(5)
    assert longer.train_tokens == work.train_tokens + 5
    alone = replace(longer, batch_size=1).by_length()
    assert alone.train_tokens == pytest.approx(16 + 5)
    squares = (13**2 + 21**2 + 29**2) / 3
    assert alone.unevenness * alone.train_tokens**2 == pytest.approx(squares)


def test_without_lengths_padding_is_that_of_the_longest():
    work = Workload.untouched(TASK, encoder())
    assert (work.lengths, work.train_tokens) == (None, 64.0)
    assert work.request_tokens < work.by_length().train_tokens < work.train_tokens
    assert work.by_length(1).train_tokens == work.train_tokens


def test_lengths_survive_json():
    task = replace(TASK, length_counts=Lengths.of([5, 9, 30]).counts)
    assert TaskTraits.from_json(task.to_json()) == task
    assert task.length_counts == (1, 1, 0, 1)
