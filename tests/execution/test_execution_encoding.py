"""From text to arrays: truncation, pairs together or apart, tags on first pieces."""

from __future__ import annotations

import numpy as np
import pytest

from effauto.errors import ModelError
from effauto.execution.encoding import Encoding, count_pieces, padded_length

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
CLS, SEP = 101, 102


@pytest.fixture
def encoding(tiny_model):
    def encoding(kind, pairing="joint", inputs=INPUTS):
        return Encoding.of_folder(tiny_model, kind, pairing, inputs)

    return encoding


def test_a_text_is_padded_to_a_multiple_of_eight(encoding):
    text = encoding("text-classification")
    rows = text.encode([("a dog barks",), ("a dog barks at the old cat in the garden",)], 128)
    arrays = text.collate(rows)
    assert arrays["input_ids"].shape == (2, 16)
    for place, row in enumerate(rows):
        (pieces,) = row.sides
        assert (pieces[0], pieces[-1]) == (CLS, SEP)
        assert arrays["input_ids"][place].tolist() == [*pieces, *[0] * (16 - len(pieces))]
        assert arrays["attention_mask"][place].sum() == len(pieces) == row.length == row.tokens
    assert not arrays["token_type_ids"].any()
    assert text.collate(rows, 40)["input_ids"].shape == (2, 40)


@pytest.mark.parametrize(("length", "padded"), [(1, 8), (8, 8), (9, 16), (128, 128)])
def test_lengths_are_rounded_up(length, padded):
    assert padded_length(length) == padded


def test_long_texts_are_cut_and_keep_their_end_mark(encoding):
    text = encoding("text-classification")
    (row,) = text.encode([("word " * 100,)], 12)
    assert row.length == 12
    assert row.sides[0][-1] == SEP
    assert text.encode([("word " * 100,)], 64)[0].length == 64


def test_a_pair_read_together_is_one_input_with_segments(encoding):
    pair = encoding("pair-classification")
    (row,) = pair.encode([("a dog", "two cats sleep")], 128)
    assert len(row.sides) == 1
    assert row.sides[0].count(SEP) == 2
    arrays = pair.collate([row])
    assert arrays["token_type_ids"][0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_pair_read_apart_gives_first_texts_then_second_ones(encoding):
    pair = encoding("pair-classification", "separate")
    rows = pair.encode([("a dog", "two cats sleep"), ("rain", "a dog")], 128)
    arrays = pair.collate(rows)
    assert arrays["input_ids"].shape == (4, 8)
    lengths = arrays["attention_mask"].sum(axis=1).tolist()
    assert lengths == [4, 3, 5, 4]
    assert np.array_equal(arrays["input_ids"][0], arrays["input_ids"][3])
    assert not arrays["token_type_ids"].any()
    assert (rows[0].length, rows[0].tokens) == (5, 9)


def test_a_word_is_tagged_at_its_first_piece(encoding):
    tagging = encoding("token-classification")
    words = ("unbelievableness", "is", "antidisestablishmentarianism")
    (row,) = tagging.encode([words], 128)
    assert row.words[0] == 1
    assert row.words == tuple(sorted(set(row.words)))
    assert row.length > len(words) + 2
    (cut,) = tagging.encode([words], 4)
    assert cut.words[0] == 1
    assert cut.words[-1] == -1


def test_segments_are_left_out_where_the_body_takes_none(encoding):
    text = encoding("text-classification", inputs=("input_ids", "attention_mask"))
    assert set(text.collate(text.encode([("a dog",)], 9))) == {"input_ids", "attention_mask"}


def test_pieces_are_counted_uncut(tiny_model):
    assert count_pieces(tiny_model, [("word " * 1000,)], "text-classification") == [1002]
    assert count_pieces(tiny_model, [("a", "b")], "token-classification") == [4]
    assert count_pieces(tiny_model, [("a", "b")], "pair-classification") == [5]


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the tokenizer in .* cannot be read"):
        Encoding.of_folder(tmp_path, "text-classification", "joint", INPUTS)
