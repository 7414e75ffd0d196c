"""Layer freezing: train the upper layers and the head, leave the rest as it was pretrained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    BASELINE,
    FITS,
    Evidence,
    Float,
    Int,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

PAPER = "Lee, Tang and Lin 2019, https://arxiv.org/abs/1911.03090"
SETTING = "BERT and RoBERTa on entailment, similarity, sentiment and acceptability"
CHECKED = "the abstract was found by a search and read; not measured here"


class LayerFreezing(Method):
    name = "layer-freezing"
    summary = "Freeze the embeddings and the lower layers; train the upper ones."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "share": Float(0.1, 0.9, default=0.5),
        "epochs": Int(1, 6, default=BASELINE.epochs),
        "learning_rate": Float(1e-5, 1e-3, default=BASELINE.learning_rate, log=True),
    }
    references = (
        "Lee, Tang and Lin 2019, What Would Elsa Do? Freezing Layers During Transformer "
        "Fine-Tuning, https://arxiv.org/abs/1911.03090",
    )
    evidence = (
        Evidence(
            "90 % of the quality from the last quarter of the layers", PAPER, SETTING, CHECKED
        ),
        Evidence("training all layers does not always help", PAPER, SETTING, CHECKED),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.layers >= 2:
            return FITS
        return Verdict(f"needs at least two layers to choose from, and {model.name} has fewer")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        layers = max(1.0, work.stored_layers)
        trained = 1.0 - frozen_layers(round(work.stored_layers), setting["share"]) / layers
        weights = trained * work.stored_layers * work.layer_parameters
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            backward_depth=work.backward_depth * trained,
            trainable_parameters=weights + work.head_parameters,
            # the first trained layer's inputs need none, unless they pass a trained norm
            spared_flops=0.0 if work.normed_first else 2 * work.projections,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .freeze import freeze_lower

        return freeze_lower(model, setting["share"])

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])


def frozen_layers(layers: int, share: float) -> int:
    """How many of ``layers`` are frozen: at least one, unless that would leave none to train."""
    return max(0, min(layers - 1, max(1, round(share * layers))))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LayerFreezing()
