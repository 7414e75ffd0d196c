"""Intrinsic dimension: train a few numbers that a fixed random map spreads over all weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Where each weight takes its number from.
PLACE_BYTES = 4.0

PAPER = "Aghajanyan, Gupta and Zettlemoyer 2021, https://arxiv.org/abs/2012.13255"
CHECKED = "the abstract was found by a search and read; not measured here"


class IntrinsicDimension(Method):
    name = "intrinsic-dimension"
    summary = "Train a few numbers that a random map spreads over all weights."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "dimension": Int(16, 16_384, default=1024, log=True),
        "epochs": Int(1, 10, default=2 * BASELINE.epochs),
        "learning_rate": Float(1e-3, 1e-1, default=1e-2, log=True),
    }
    references = (
        "Aghajanyan, Gupta and Zettlemoyer 2021, Intrinsic Dimensionality Explains the "
        "Effectiveness of Language Model Fine-Tuning, https://arxiv.org/abs/2012.13255",
        "Li, Farkhoor, Liu and Yosinski 2018, Measuring the Intrinsic Dimension of Objective "
        "Landscapes, https://arxiv.org/abs/1804.08838",
    )
    evidence = (
        Evidence(
            "90 % of full fine-tuning from 200 trained numbers", PAPER, "RoBERTa on MRPC", CHECKED
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Gradients are made for all weights; the optimizer keeps its state for a few numbers."""
        stepped = min(setting["dimension"] + work.head_parameters, work.trainable_parameters)
        share = stepped / max(1.0, work.trainable_parameters)
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            optimizer_bytes=PLACE_BYTES + share * work.optimizer_bytes,
            update_copies=0.0,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .subspace import fit_in_subspace

        fit = partial(fit_in_subspace, fit=training.fit, dimension=setting["dimension"])
        return replace(
            training, epochs=setting["epochs"], learning_rate=setting["learning_rate"], fit=fit
        )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield IntrinsicDimension()
