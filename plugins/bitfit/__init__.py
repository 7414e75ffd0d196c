"""BitFit: train the bias terms and the head, and nothing else."""

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

# A layer that computes its activations anew keeps fewer than these widths a token.
FEWEST_UNITS = 9.0


# A layer that has no biases has the weights of two norms.
NORMS = 2


class BitFit(Method):
    name = "bitfit"
    summary = "Train only the bias terms and the head."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "epochs": Int(1, 6, default=BASELINE.epochs),
        "learning_rate": Float(1e-4, 2e-2, default=4e-3, log=True),
    }
    references = (
        "Ben Zaken, Goldberg and Ravfogel 2022, BitFit: Simple Parameter-efficient Fine-tuning "
        "for Transformer-based Masked Language-models, https://arxiv.org/abs/2106.10199",
    )
    evidence = (
        Evidence(
            claim="competitive with, and sometimes better than, training the whole model",
            source="Ben Zaken et al. 2022, abstract",
            setting="BERT, small to medium training data (GLUE)",
            checked="the abstract was read, as quoted by an index of papers; not measured here",
        ),
        Evidence(
            claim="beaten by full fine-tuning once there is more training data",
            source="Ben Zaken et al. 2022, size of training data, figure 2",
            setting="BERT-base, growing shares of SQuAD 1.0",
            checked="the paragraph was read, as quoted by an index of papers; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.layer_vectors != NORMS * model.width:
            return FITS
        return Verdict("trains the bias terms, and this model has none: use an adapter")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Seven biases as wide as the model and one as wide as the inner layer, a layer."""
        biases = work.layers * (7 * work.width + work.feedforward) + work.width
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=0.0,
            activation_units=max(
                min(work.activation_units, FEWEST_UNITS),
                work.activation_units - _not_kept(work),
            ),
            trainable_parameters=biases + work.head_parameters,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .freeze import train_biases_only

        return train_biases_only(model)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])


def _not_kept(work: Workload) -> float:
    """Widths a token that only gradients of weights need: the inputs of the products."""
    context = 1.0 if work.pair_numbers else 0.0  # kept by kernels that make the scores anew
    return 2.0 + context + work.feedforward / max(1.0, work.width)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield BitFit()
