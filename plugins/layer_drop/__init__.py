"""Layer drop: fine-tune a model with fewer of its layers. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
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


class LayerDrop(Method):
    name = "layer-drop"
    summary = "Keep the lower, or every other, pretrained layer before training."
    stage = "design"
    slot = "depth"
    requires = frozenset({"transformer", "pretrained"})
    provides = frozenset({"smaller_student"})
    knobs = {
        "keep": Float(0.15, 0.85, default=0.5),
        "strategy": Choice(("lower", "alternate"), default="lower"),
    }
    references = (
        "Sajjad, Dalvi, Durrani and Nakov 2023, On the effect of dropping layers of pre-trained "
        "transformer models, https://arxiv.org/abs/2004.03844",
        "Fan, Grave and Joulin 2020, Reducing transformer depth on demand with structured "
        "dropout, https://arxiv.org/abs/1909.11556",
    )
    evidence = (
        Evidence(
            claim="up to 40 % of the layers removed while keeping up to 98 % of the quality",
            source="Sajjad et al. 2023",
            setting="BERT, RoBERTa and XLNet on GLUE",
            checked="read in the abstract",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.layers >= 2:
            return FITS
        return Verdict(f"needs at least two layers to choose from, and {model.name} has fewer")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        kept = float(depth(round(work.layers), setting["keep"]))
        dropped = max(0.0, work.layers - kept) * work.layer_parameters
        trainable = max(0.0, work.trainable_parameters - dropped * work.weight_gradients)
        return replace(
            work,
            layers=kept,
            stored_layers=min(work.stored_layers, kept),
            trainable_parameters=trainable,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        model.keep_layers(kept_layers(len(model.layers), setting["keep"], setting["strategy"]))
        return model


def depth(layers: int, share: float) -> int:
    """How many of ``layers`` stay: at least one, and at least one goes."""
    return max(1, min(layers - 1, round(share * layers)))


def kept_layers(layers: int, share: float, strategy: str) -> list[int]:
    """Which layers stay, counted from the input: the lowest, or spread evenly from the first."""
    kept = depth(layers, share)
    if strategy == "lower":
        return list(range(kept))
    return [place * layers // kept for place in range(kept)]


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LayerDrop()
