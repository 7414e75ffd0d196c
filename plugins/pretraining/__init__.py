"""Pre-training: passes, learning rate and batch size of a model that is trained from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    SCRATCH_BASELINE,
    Choice,
    Evidence,
    Float,
    Int,
    Method,
    Setting,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, Training


class Pretraining(Method):
    name = "pretraining"
    summary = "Train a new model on text: passes, batches, a rate that holds for every size."
    stage = "pretrain"
    slot = "adaptation"
    requires = frozenset({"transformer", "from_scratch", "gradient_training", "float_weights"})
    knobs = {
        "epochs": Int(1, 32, default=SCRATCH_BASELINE.epochs, log=True),
        "learning_rate": Float(2**-11, 2**-5, default=SCRATCH_BASELINE.learning_rate, log=True),
        "batch_size": Choice((8, 16, 32, 64), default=SCRATCH_BASELINE.batch_size),
        "weight_decay": Float(1e-3, 0.3, default=SCRATCH_BASELINE.weight_decay, log=True),
    }
    references = (
        "Yang et al. 2021, Tuning Large Neural Networks via Zero-Shot Hyperparameter Transfer, "
        "https://arxiv.org/abs/2203.03466",
        "Muennighoff et al. 2023, Scaling Data-Constrained Language Models, "
        "https://arxiv.org/abs/2305.16264",
    )
    evidence = (
        Evidence(
            claim="up to about four passes over a text are nearly as good as new text",
            source="Muennighoff et al. 2023, abstract, https://arxiv.org/abs/2305.16264",
            setting="models of up to 9 billion parameters, up to 900 billion tokens",
            checked="found by a search; small models are searched over up to 32 passes here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            batch_size=setting["batch_size"],
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(
            training,
            epochs=setting["epochs"],
            learning_rate=setting["learning_rate"],
            batch_size=setting["batch_size"],
            weight_decay=setting["weight_decay"],
        )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Pretraining()
