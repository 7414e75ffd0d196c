"""A tiny random model and a tiny task, made on the spot, on which a recipe really runs."""

from __future__ import annotations

import json
import random
from pathlib import Path

from effauto.task.examples import Examples
from effauto.task.task import COMPRESSION
from effauto.task.vocabulary import learn_tokenizer
from effauto.traits import (
    LANGUAGE_MODELING,
    MASKED_LANGUAGE_MODELING,
    PLAIN_TEXT,
    TaskKind,
    TaskTraits,
)

WORDS = (
    "good",
    "bad",
    "fine",
    "poor",
    "warm",
    "cold",
    "quick",
    "slow",
    "bright",
    "dark",
    "calm",
    "loud",
    "sweet",
    "sour",
)
ROWS, CLASSES = 48, ("first", "second")


def tiny_examples(kind: TaskKind) -> Examples:
    """Rows in which the first word tells the class; some are repeated."""
    draw = random.Random(0)
    inputs: list[tuple[str, ...]] = []
    targets: list[int | tuple[int, ...]] = []
    for row in range(ROWS):
        label = row % 2
        words = [WORDS[label], *draw.choices(WORDS[2:], k=draw.randint(2, 9))]
        if kind == "token-classification":
            inputs.append(tuple(words))
            targets.append(tuple(WORDS.index(word) % 2 for word in words))
        else:
            sides = (" ".join(words), " ".join(words[::-1]))
            inputs.append(sides[: 2 if kind == "pair-classification" else 1])
            targets.append(label)
    return Examples(kind, (*inputs[:-4], *inputs[:4]), (*targets[:-4], *targets[:4]))


def tiny_text(kind: TaskKind = LANGUAGE_MODELING) -> tuple[Examples, str]:
    """The same words as text, for a language model; and a tokenizer of it, as JSON."""
    rows = [f"{' '.join(fields)}\n" for fields in tiny_examples("text-classification").inputs]
    inputs = tuple((row,) for row in rows)
    tokenizer = learn_tokenizer(rows, masked=kind == MASKED_LANGUAGE_MODELING)
    return Examples(kind, inputs, (0,) * len(rows)), tokenizer.to_str()


def tiny_traits(kind: TaskKind) -> TaskTraits:
    if kind in PLAIN_TEXT:
        pieces = len(json.loads(tiny_text(kind)[1])["model"]["vocab"])
        return TaskTraits(kind, COMPRESSION, ROWS, pieces, 8.0, 14.0, 16.0, 0.1, 1.0)
    return TaskTraits(kind, "accuracy", ROWS, len(CLASSES), 8.0, 14.0, 16.0, 0.1, 0.5)


def write_tiny_model(folder: Path) -> None:
    """A BERT of four layers of width 32 with random weights, and its tokenizer."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    vocabulary = {word: number for number, word in enumerate((*marks, *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
