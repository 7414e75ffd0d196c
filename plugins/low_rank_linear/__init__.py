"""Low-rank linear layers: two thin matrices for each wide one. README.md is the card."""

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

LEAST, MOST = 0.2, 0.9
# Single-core seconds of a decomposition, for a number of the matrix and of its shorter side.
SVD_SECONDS = 1.2e-9
# Calls of a layer with two products for each one, run eagerly, against the same with one.
DISPATCHES = 1.2


class LowRankLinear(Method):
    name = "low-rank-linear"
    summary = "Split each matrix of the layers into two thin ones by SVD, before training."
    stage = "design"
    slot = "factorization"
    requires = frozenset({"transformer", "pretrained"})
    provides = frozenset({"smaller_student", "factored_layers"})
    after = ("depth", "pairing", "vocabulary", "heads", "neurons")
    before = ("body",)
    knobs = {"share": Float(LEAST, MOST, default=0.5)}
    references = (
        "Eckart and Young 1936, The approximation of one matrix by another of lower rank, "
        "https://doi.org/10.1007/BF02288367",
        "Wang, Wohlwend and Lei 2020, Structured Pruning of Large Language Models, "
        "https://arxiv.org/abs/1910.04732",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if rank_of(model.width, model.width, LEAST) >= 1:
            return FITS
        return Verdict(f"splits wide matrices, and {model.name} has none that would save a number")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        share = setting["share"]
        kept, ranks = factored(work, share)
        removed = max(0.0, work.layer_matrices - kept)
        trained = work.stored_layers * removed * work.weight_gradients
        side = work.stored_layers * work.layer_matrices * work.width
        return replace(
            work,
            layer_parameters=work.layer_parameters - removed,
            layer_rows=work.layer_rows + ranks,
            trainable_parameters=max(0.0, work.trainable_parameters - trained),
            activation_units=work.activation_units + ranks / max(1.0, work.width),
            dispatches=work.dispatches * DISPATCHES,
            host_seconds=work.host_seconds + SVD_SECONDS * side,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .factor import factor, factors

        return factor(model, setting["share"], factors)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .factor import factor, unfilled

        return factor(model, setting["share"], unfilled)


def rank_of(outputs: int, inputs: int, share: float) -> int:
    """The rank at which both factors have ``share`` of the numbers of the matrix, rounded down."""
    return int(share * outputs * inputs / (outputs + inputs)) if inputs else 0


def factored(work: Workload, share: float) -> tuple[float, float]:
    """Of all matrices of a layer together, the numbers of their factors, and their ranks."""
    attention = work.projections + work.width * work.attention_width
    one = max(1.0, work.width * work.feedforward)
    inner = max(0.0, work.layer_matrices - attention) / one
    sides = ((work.attention_width, 2.0), (work.key_width, 2.0), (work.feedforward, inner))
    kept = together = 0.0
    for side, matrices in sides:
        rank = float(rank_of(round(side), round(work.width), share))
        numbers = rank * (side + work.width) if rank else side * work.width  # too small: stays
        kept, together = kept + matrices * numbers, together + matrices * rank
    return kept, together


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LowRankLinear()
