"""What padding makes of lengths, foretold and really batched."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import mean

import pytest
from hypothesis import given
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
    assert lengths.spread == alone[-1] - alone[0]
    assert lengths.median == alone[len(alone) // 2]
    assert lengths.unevenness * lengths.mean**2 == pytest.approx(mean(n * n for n in alone))
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
    really = sum(len(batch) * batch[-1] for batch in batches) / rows
    assert work.grouped(rows / size) == pytest.approx(really, rel=0.12)
    assert work.longest_tokens == ordered[-1]


def test_half_the_rows_are_padded_to_a_shorter_longest():
    chance = random.Random(0)
    work = told([round(chance.lognormvariate(3, 0.5)) + 3 for _ in range(2000)])
    part = work.on_share(0.05)
    assert work.even_tokens < part.train_tokens < work.train_tokens
    assert part.longest_tokens == part.train_tokens


def test_without_lengths_padding_is_that_of_the_longest():
    work = Workload.untouched(TASK, encoder())
    assert (work.even_tokens, work.train_tokens) == (0.0, 64.0)
    assert work.request_tokens < work.grouped(50) < work.train_tokens
    assert work.grouped(1) == work.train_tokens


def test_lengths_survive_json():
    task = replace(TASK, length_counts=Lengths.of([5, 9, 30]).counts)
    assert TaskTraits.from_json(task.to_json()) == task
    assert task.length_counts == (1, 1, 0, 1)
