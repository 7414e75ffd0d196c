"""A tokenizer learnt from the text itself, and text cut into rows that fill a model's input."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from effauto.traits import MASK

BEGIN, PADDING = "<s>", "<pad>"
# A piece for so many bytes of text: rarer ones are seen too seldom to be learnt.
BYTES_A_PIECE = 1000
FEWEST, MOST = 512, 16384
# A longer word is cut, so that any fits into a row even if each of its bytes is a piece.
LONGEST_WORD = 30


def learn_tokenizer(texts: Sequence[str], *, masked: bool = False) -> Any:
    """Byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019), as large as the
    text can teach; each input begins with ``<s>``, from which its first piece is foretold.
    ``masked`` asks for a piece ``<mask>``, which stands for those that are hidden.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_for(sum(map(len, texts))),
        special_tokens=[BEGIN, PADDING, *([MASK] if masked else [])],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(texts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
    )
    return tokenizer


def vocabulary_for(characters: int) -> int:
    """How many pieces: the power of two next to one for each thousand characters."""
    wanted = max(1.0, characters / BYTES_A_PIECE)
    return max(FEWEST, min(MOST, int(2 ** round(math.log2(wanted)))))


def pieces_of(tokenizer: Any) -> tuple[str, ...]:
    """The vocabulary, in the order of the pieces' numbers."""
    known: dict[str, int] = tokenizer.get_vocab()
    return tuple(sorted(known, key=lambda piece: known[piece]))


def packed(texts: Sequence[str], tokenizer: Any, most: int) -> list[str]:
    """The text in rows of at most ``most`` pieces, ``<s>`` counted, cut between words."""
    rows: list[str] = []
    row: list[str] = []
    left = most - 1
    for word, pieces in _words(texts, tokenizer):
        if pieces > left:
            rows.append("".join(row))
            row, left = [], most - 1
        row.append(word)
        left -= pieces
    return [*rows, "".join(row)] if row else rows


def _words(texts: Iterable[str], tokenizer: Any) -> Iterator[tuple[str, int]]:
    """Each word, with the blank before it, and how many pieces it is."""
    for line in _lines(texts):
        spans = tokenizer.pre_tokenizer.pre_tokenize_str(line)
        counts = Counter(tokenizer.encode(line, add_special_tokens=False).word_ids)
        for place, (_, (start, end)) in enumerate(spans):
            if end - start <= LONGEST_WORD:
                yield line[start:end], counts[place]
                continue
            for cut in range(start, end, LONGEST_WORD):
                part = line[cut : min(end, cut + LONGEST_WORD)]
                yield part, len(part.encode())


def _lines(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from text.splitlines(keepends=True)
