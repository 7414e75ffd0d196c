"""span-denoising: hidden words stand together, in spans of the length that was asked for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from languages import learns

from effauto import Pieces

plugin = pytest.importorskip("effauto.bundled.span_denoising", reason="not here")
METHOD = plugin.SpanDenoising()
SETTING = {"mean": 3.0, "longest": 10}


@pytest.mark.parametrize(("mean", "longest"), [(1.5, 20), (3.0, 20), (3.8, 10)])
def test_lengths_are_geometric(mean, longest):
    """Of Joshi et al. 2020: with p = 0.2 and at most 10, 3.8 words on average, as they say."""
    from effauto.bundled.span_denoising.spans import length

    p, chance = 1 / mean, random.Random(0)
    shares = [p * (1 - p) ** (n - 1) for n in range(1, longest)]
    expected = sum(n * share for n, share in enumerate(shares, 1)) + longest * (1 - sum(shares))
    drawn = [length(mean, longest, chance) for _ in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(expected, rel=0.03)
    assert max(drawn) <= longest


@given(st.integers(2, 60), st.integers(1, 50), st.floats(1.5, 8), st.integers(2, 20))
def test_so_many_pieces_are_hidden(size, count, mean, longest):
    from effauto.bundled.span_denoising.spans import spans

    count = min(count, size - 1)
    row = Pieces((tuple(range(size)),), words=tuple(range(1, size, 2)))
    hidden = spans(row, count, random.Random(size), mean=mean, longest=longest)
    assert len(hidden) == len(set(hidden)) == count
    assert min(hidden) > 0
    assert max(hidden) < size


def test_they_stand_together():
    from effauto.bundled.span_denoising.spans import spans

    row, chance = Pieces((tuple(range(1001)),), words=tuple(range(1, 1001))), random.Random(0)
    runs = []
    for _ in range(50):
        hidden = spans(row, 60, chance, **SETTING)
        runs.append(sum(place - 1 not in hidden for place in hidden))
    assert 60 / (sum(runs) / len(runs)) == pytest.approx(3.0, abs=0.5)


def test_a_row_without_words_hides_single_pieces():
    from effauto.bundled.span_denoising.spans import spans

    hidden = spans(Pieces((tuple(range(9)),)), 3, random.Random(0), **SETTING)
    assert len(set(hidden)) == 3
    assert 0 not in hidden


def test_it_learns(hiding):
    assert learns(METHOD, SETTING, hiding)[0] < 0.9
