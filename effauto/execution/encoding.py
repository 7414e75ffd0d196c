"""From text to arrays of word-piece numbers. Needs the tokenizers library, not torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from effauto.errors import ModelError
from effauto.traits import MASK, MASKED_LANGUAGE_MODELING, TaskKind
from effauto.workload import PAD_TO

Arrays = dict[str, NDArray[np.int64]]
FIRST_PIECE_ONLY = -100  # what cross_entropy ignores: later pieces of a word carry no tag


@dataclass(frozen=True)
class Pieces:
    """One example as word pieces.

    ``sides`` holds the numbers of its one input, or of both texts of a pair read separately;
    ``segments`` tells two texts in one input apart; ``words`` has the place of the first piece of
    each word, or -1 where the word was cut off (of tagging and of masked language models only).
    """

    sides: tuple[tuple[int, ...], ...]
    segments: tuple[int, ...] = ()
    words: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        return max(map(len, self.sides))

    @property
    def tokens(self) -> int:
        return sum(map(len, self.sides))


class Encoding:
    """A tokenizer that knows how a model reads the examples of a task."""

    def __init__(self, tokenizer: Any, kind: TaskKind, pairing: str, inputs: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.kind = kind
        self.pairing = pairing
        self.inputs = tuple(inputs)
        self.pad = _pad_number(tokenizer)
        self.mask: int | None = tokenizer.token_to_id(MASK)
        tokenizer.no_padding()

    @classmethod
    def of_folder(
        cls, folder: Path, kind: TaskKind, pairing: str, inputs: Sequence[str]
    ) -> Encoding:
        """Read ``tokenizer.json``; raise ModelError if there is none."""
        return cls(read_tokenizer(folder), kind, pairing, inputs)

    def encode(self, rows: Sequence[tuple[str, ...]], max_tokens: int) -> list[Pieces]:
        """Cut each row to ``max_tokens`` word pieces an input."""
        self.tokenizer.enable_truncation(max_tokens)
        if self.kind == "token-classification":
            found = self.tokenizer.encode_batch([list(row) for row in rows], is_pretokenized=True)
            return [
                Pieces((tuple(e.ids),), tuple(e.type_ids), _first_pieces(e, len(row)))
                for e, row in zip(found, rows, strict=True)
            ]
        if self.kind == "pair-classification" and self.pairing == "separate":
            firsts = self.tokenizer.encode_batch([row[0] for row in rows])
            seconds = self.tokenizer.encode_batch([row[1] for row in rows])
            return [
                Pieces((tuple(a.ids), tuple(b.ids))) for a, b in zip(firsts, seconds, strict=True)
            ]
        inputs = [row if len(row) > 1 else row[0] for row in rows]
        words = self.kind == MASKED_LANGUAGE_MODELING
        return [
            Pieces((tuple(e.ids),), tuple(e.type_ids), _all_first_pieces(e) if words else ())
            for e in self.tokenizer.encode_batch(inputs)
        ]

    def collate(self, rows: Sequence[Pieces], length: int | None = None) -> Arrays:
        """Arrays of (batch, length); pairs read separately: all first texts, then all second."""
        length = length or padded_length(max(row.length for row in rows))
        sides = [row.sides[side] for side in range(len(rows[0].sides)) for row in rows]
        numbers = np.full((len(sides), length), self.pad, dtype=np.int64)
        mask = np.zeros_like(numbers)
        for place, side in enumerate(sides):
            numbers[place, : len(side)] = side
            mask[place, : len(side)] = 1
        arrays = {"input_ids": numbers, "attention_mask": mask}
        if "token_type_ids" in self.inputs:
            segments = np.zeros_like(numbers)
            if len(rows[0].sides) == 1:
                for place, row in enumerate(rows):
                    segments[place, : len(row.segments)] = row.segments
            arrays["token_type_ids"] = segments
        return arrays


def padded_length(length: int) -> int:
    return -(-length // PAD_TO) * PAD_TO


def read_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a model folder, converted by transformers if need be."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        if path.is_file():
            return Tokenizer.from_file(str(path))
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception as error:  # both libraries raise bare Exceptions
        raise ModelError(f"the tokenizer in {folder} cannot be read: {error}") from error


def count_pieces(folder: Path, rows: Iterable[tuple[str, ...]], kind: TaskKind) -> list[int]:
    """How many word pieces each row has, uncut, if both texts of a pair are read in one input."""
    tokenizer = read_tokenizer(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    paired = kind == "pair-classification"
    inputs = [row if paired else " ".join(row) for row in rows]
    return [len(e.ids) for e in tokenizer.encode_batch(inputs)]


def _pad_number(tokenizer: Any) -> int:
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    for token in ("[PAD]", "<pad>", "<|endoftext|>", "</s>"):
        if (number := tokenizer.token_to_id(token)) is not None:
            return int(number)
    return 0


def _first_pieces(encoding: Any, words: int) -> tuple[int, ...]:
    places = [-1] * words
    for place, word in enumerate(encoding.word_ids):
        if word is not None and places[word] < 0:
            places[word] = place
    return tuple(places)


def _all_first_pieces(encoding: Any) -> tuple[int, ...]:
    numbers = [word for word in encoding.word_ids if word is not None]
    return _first_pieces(encoding, max(numbers, default=-1) + 1)
