"""whole-word-masking: a word is hidden with all its pieces or not at all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from languages import learns

from effauto import Pieces, Training

plugin = pytest.importorskip("effauto.bundled.whole_word_masking", reason="not here")
METHOD = plugin.WholeWordMasking()


@st.composite
def rows(draw):
    """A row whose words have one to five pieces, behind the one that begins it."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=30))
    starts = [1 + sum(lengths[:place]) for place in range(len(lengths))]
    return Pieces((tuple(range(1 + sum(lengths))),), words=tuple(starts))


def test_words_end_where_the_next_begins():
    from effauto.bundled.whole_word_masking.words import words_of

    row = Pieces((tuple(range(8)),), words=(1, 2, 5, -1))
    assert words_of(row) == [range(1, 2), range(2, 5), range(5, 8)]


@given(rows(), st.integers(1, 40), st.integers(0, 99))
def test_no_word_is_cut(row, count, seed):
    from effauto.bundled.whole_word_masking.words import whole_words, words_of

    count = min(count, row.length - 1)
    hidden = set(whole_words(row, count, random.Random(seed)))
    words = words_of(row)
    taken = [word for word in words if hidden & set(word)]
    assert hidden == {place for word in taken for place in word}
    shortest = min(len(word) for word in words)
    assert 0 < len(hidden) <= max(count, shortest)
    left = min((len(word) for word in words if word not in taken), default=0)
    assert not left or len(hidden) + left > count  # no other would have fitted


def test_a_row_without_words_hides_single_pieces():
    from effauto.bundled.whole_word_masking.words import whole_words

    hidden = whole_words(Pieces((tuple(range(9)),)), 3, random.Random(0))
    assert len(set(hidden)) == 3
    assert 0 not in hidden


def test_it_learns(hiding):
    assert METHOD.train(Training(), {}, hiding).masking.rate == Training().masking.rate
    assert learns(METHOD, {}, hiding)[0] < 0.9
