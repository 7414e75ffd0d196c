"""The word table in int8, one scale a row. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import FITS, Method, ModelTraits, Setting, TaskTraits, Verdict, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel

BITS = 8.0
# The table is divided by its scales, and that is rounded: two copies of floats at a time.
COPIES_BYTES = 8.0


class Int8Embedding(Method):
    name = "int8-embedding"
    summary = "Store the word table in int8, one scale a row; nothing else changes."
    stage = "compress"
    slot = "table-precision"
    requires = frozenset({"pretrained"})
    after = ("sparsity", "precision")
    references = (
        "Guan, Malevich, Yang, Park and Yuen 2019, Post-Training 4-bit Quantization on Embedding "
        "Tables, https://arxiv.org/abs/1911.02079",
        "Zafrir, Boudoukh, Izsak and Wasserblat 2019, Q8BERT: Quantized 8Bit BERT, "
        "https://arxiv.org/abs/1910.06188",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.vocabulary:
            return FITS
        return Verdict(f"quantizes a table of word pieces, and {model.name} has none")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The tables of positions and segments, if there are, keep their bits."""
        numbers = min(work.embedding_parameters, work.vocabulary * work.width)
        words = numbers / max(1.0, work.embedding_parameters)
        bits = BITS + work.embedding_bits * work.vocabulary / max(1.0, numbers)
        mixed = words * bits + (1.0 - words) * work.embedding_bits
        rounded = work.holding(COPIES_BYTES * numbers)
        return replace(rounded, embedding_bits=min(work.embedding_bits, mixed))

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .table import quantize, quantized

        return quantize(model, quantized)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .table import quantize, unfilled

        return quantize(model, unfilled)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Int8Embedding()
