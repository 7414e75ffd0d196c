"""Full fine-tuning: the baseline's own training, with its settings opened to the search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import BASELINE, Choice, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training


class FullFinetune(Method):
    name = "full-finetune"
    summary = "Train every weight, with epochs, learning rate and batch size to choose."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "epochs": Int(1, 6, default=BASELINE.epochs),
        "learning_rate": Float(1e-5, 1e-3, default=BASELINE.learning_rate, log=True),
        "batch_size": Choice((8, 16, 32, 64), default=BASELINE.batch_size),
    }
    references = (
        "Devlin, Chang, Lee and Toutanova 2019, BERT: Pre-training of Deep Bidirectional "
        "Transformers for Language Understanding, https://arxiv.org/abs/1810.04805",
        "Howard and Ruder 2018, Universal Language Model Fine-tuning for Text Classification, "
        "https://arxiv.org/abs/1801.06146",
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
        )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield FullFinetune()
