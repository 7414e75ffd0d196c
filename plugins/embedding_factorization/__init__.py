"""Embedding factorization: a narrow word table and a matrix, trained. README.md is the card."""

from __future__ import annotations

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

MOST = 0.75
DOUBLE_BYTES = 8.0  # a copy of the table is turned to its directions with more precision
# Single-core seconds of finding and taking directions, for a number of the table and a column.
GRAM_SECONDS = 4e-11


class EmbeddingFactorization(Method):
    name = "embedding-factorization"
    summary = "Split the word table into a narrow table and a matrix by SVD, before training."
    stage = "design"
    slot = "word-table"
    requires = frozenset({"transformer", "pretrained"})
    provides = frozenset({"smaller_student", "factored_table"})
    after = ("depth", "pairing", "vocabulary")
    before = ("body",)
    knobs = {"rank_share": Float(0.1, MOST, default=0.33)}
    references = (
        "Lan, Chen, Goodman, Gimpel, Sharma and Soricut 2020, ALBERT: A Lite BERT for "
        "Self-supervised Learning of Language Representations, https://arxiv.org/abs/1909.11942",
        "Eckart and Young 1936, The approximation of one matrix by another of lower rank, "
        "https://doi.org/10.1007/BF02288367",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        least = MOST * model.width / (1.0 - MOST)
        if model.width and model.vocabulary > least:
            return FITS
        return Verdict(
            f"splits a word table of many more rows than columns, and {model.name} has "
            f"{model.vocabulary} rows of {model.width}"
        )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The table is squared once to find its directions, and turned to them."""
        rank = rank_of(round(work.width), setting["rank_share"])
        whole = work.vocabulary * work.width
        removed = max(0.0, whole - rank * (work.vocabulary + work.width))
        removed = min(removed, work.embedding_parameters)
        return replace(
            work.holding(work.vocabulary * (DOUBLE_BYTES * (work.width + rank) + 4.0 * rank)),
            embedding_parameters=work.embedding_parameters - removed,
            trainable_parameters=max(0.0, work.trainable_parameters - removed),
            token_flops=work.token_flops + 2.0 * rank * work.width,
            host_seconds=work.host_seconds + whole * (work.width + rank) * GRAM_SECONDS,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .table import factor, factors

        return factor(model, setting["rank_share"], factors)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .table import factor, unfilled

        return factor(model, setting["rank_share"], unfilled)


def rank_of(width: int, share: float) -> int:
    """How many columns the narrow table has: at least one."""
    return max(1, round(share * width))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield EmbeddingFactorization()
