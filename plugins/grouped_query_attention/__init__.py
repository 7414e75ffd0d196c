"""Grouped-query attention: several queries share a key and a value. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
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


class GroupedQueryAttention(Method):
    name = "grouped-query-attention"
    summary = "Let groups of query heads share one head of keys and values."
    stage = "design"
    slot = "key-heads"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    provides = frozenset({"grouped_queries"})
    before = ("attention",)
    knobs = {"queries": Choice((2, 4, 8), default=4)}
    references = (
        "Ainslie, Lee-Thorp, de Jong, Zemlyanskiy, Lebrón and Sanghai 2023, GQA: Training "
        "Generalized Multi-Query Transformer Models, https://arxiv.org/abs/2305.13245",
        "Shazeer 2019, Fast Transformer Decoding: One Write-Head is All You Need, "
        "https://arxiv.org/abs/1911.02150",
    )
    evidence = (
        Evidence(
            claim="quality close to multi-head attention, speed comparable to multi-query",
            source="Ainslie et al. 2023, abstract",
            setting="T5 of large and XXL size, uptrained with 5 % of the pre-training compute",
            checked="the abstract was read; keys are grouped from the start here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        whole = model.attention_width or model.width
        if model.heads >= 2 and (model.key_width or whole) == whole:
            return FITS
        return Verdict(
            f"groups heads that have keys of their own, and {model.name} has none to group"
        )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Fewer rows in the projections of keys and values, and fewer of both handed on."""
        group = group_of(round(work.heads), setting["queries"])
        spared = work.key_width * (1.0 - 1.0 / group)
        numbers = min(2.0 * work.width * spared, work.layer_matrices)
        trained = numbers * work.stored_layers * work.weight_gradients
        units = 2.0 * spared / max(1.0, work.width)
        return replace(
            work,
            key_width=work.key_width - spared,
            cached_widths=work.cached_widths / group,
            layer_parameters=work.layer_parameters - numbers,
            layer_rows=max(0.0, work.layer_rows - 2.0 * spared),
            trainable_parameters=max(0.0, work.trainable_parameters - trained),
            activation_units=max(0.0, work.activation_units - units),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .group import group_keys

        return group_keys(model, group_of(context.model.heads, setting["queries"]))


def group_of(heads: int, queries: int) -> int:
    """How many queries share a key: at least ``queries``, in equal groups, or all of them."""
    shared = (count for count in range(queries, heads) if heads % count == 0)
    return next(shared, max(1, heads))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield GroupedQueryAttention()
