"""Vocabulary trim: keep the word pieces that the training data needs. README.md is the card."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Float,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# Word pieces that stay whatever the data: special ones and single characters (of a BERT's).
ALWAYS = 2000.0
# Distinct word pieces grow about so with those read (Heaps 1978): within a factor of two on six
# sets of English and Indonesian texts of 5,000 to 300,000 word pieces.
HEAPS_FACTOR, HEAPS_POWER = 12.0, 0.51
# What a word piece takes in tokenizer.json.
ENTRY_BYTES = 20.0


class VocabularyTrim(Method):
    name = "vocabulary-trim"
    summary = "Keep only word pieces that the training texts use, and single characters."
    stage = "design"
    slot = "vocabulary"
    requires = frozenset({"transformer", "pretrained"})
    before = ("body",)
    knobs = {"rest": Float(0.0, 0.8, default=0.0)}
    references = (
        "Abdaoui, Pradel and Sigel 2020, Load What You Need: Smaller Versions of Multilingual "
        "BERT, https://arxiv.org/abs/2010.05609",
        "Heaps 1978, Information Retrieval: Computational and Theoretical Aspects, section 7.5",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.vocabulary:
            return FITS
        return Verdict(f"cuts a table of word pieces, and {model.name} has none")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        gone = work.vocabulary - kept_of(work, setting["rest"])
        removed = min(work.embedding_parameters, gone * work.width)
        return replace(
            work,
            vocabulary=work.vocabulary - gone,
            embedding_parameters=work.embedding_parameters - removed,
            trainable_parameters=max(0.0, work.trainable_parameters - removed),
            folder_bytes=max(0.0, work.folder_bytes - ENTRY_BYTES * gone),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .table import keep_rows
        from .tokens import trimmed, used

        needed = used(model, context)
        tokenizer = context.encoding(model).tokenizer
        kept, model.tokenizer = trimmed(tokenizer, needed, setting["rest"])
        return keep_rows(model, kept)


def kept_of(work: Workload, rest: float) -> float:
    """How many word pieces stay, foretold from how many are read."""
    grown = math.pow(work.examples * work.request_tokens, HEAPS_POWER)
    needed = min(work.vocabulary, ALWAYS + HEAPS_FACTOR * grown)
    return needed + rest * (work.vocabulary - needed)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield VocabularyTrim()
