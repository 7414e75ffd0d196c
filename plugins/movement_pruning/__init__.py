"""Movement pruning: zero the weights that training moves towards zero. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import BASELINE, Choice, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A weight, once masked, stands beside itself and a mask of a byte; a learned score has a value.
MASK_BYTES, SCORE_BYTES = 5.0, 9.0
# Single-core seconds of finding a matrix's best scores, a number.
SELECT_SECONDS = 1e-8


class MovementPruning(Method):
    name = "movement-pruning"
    summary = "Zero weights step by step in training: a smaller file, no faster model."
    stage = "finetune"
    slot = "adaptation"
    version = "2"  # of 1 the criterion was movement by default
    requires = frozenset(
        {"transformer", "pretrained", "gradient_training", "float_weights", "dense_weights"}
    )
    provides = frozenset({"smaller_student", "scheduled_training"})
    removes = frozenset({"dense_weights"})
    knobs = {
        "sparsity": Float(0.3, 0.97, default=0.5),
        "criterion": Choice(("movement", "magnitude"), default="magnitude"),
        "epochs": Int(2, 12, default=6),
        "learning_rate": Float(1e-5, 1e-3, default=BASELINE.learning_rate, log=True),
    }
    references = (
        "Sanh, Wolf and Rush 2020, Movement Pruning: Adaptive Sparsity by Fine-Tuning, "
        "https://arxiv.org/abs/2005.07683",
        "Zhu and Gupta 2017, To Prune, or Not to Prune: Exploring the Efficacy of Pruning for "
        "Model Compression, https://arxiv.org/abs/1710.01878",
    )
    evidence = (
        Evidence(
            claim="minimal loss of accuracy with 3 % of the weights, with a teacher",
            source="Sanh et al. 2020, abstract, https://huggingface.co/papers/2005.07683",
            setting="the encoder of BERT-base",
            checked="found by a search; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Every weight of a layer's matrices has a score; learned ones are trained as well."""
        scores = work.stored_layers * work.layer_matrices
        learned = setting["criterion"] == "movement"
        trained = work.trainable_parameters + (scores if learned else 0.0)
        held = SCORE_BYTES if learned else MASK_BYTES
        steps = setting["epochs"] * work.examples / max(1.0, work.batch_size)
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            trainable_parameters=trained,
            optimizer_bytes=work.optimizer_bytes + held * scores / max(1.0, trained),
            host_seconds=work.host_seconds + SELECT_SECONDS * scores * steps,
            density=work.density * (1.0 - setting["sparsity"]),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .masks import add_masks

        return add_masks(model, learned=setting["criterion"] == "movement")

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .schedule import prune_gradually

        watch = partial(prune_gradually, sparsity=setting["sparsity"])
        return replace(
            training,
            epochs=setting["epochs"],
            learning_rate=setting["learning_rate"],
            after_step=(*training.after_step, watch),
        )

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .masks import set_zeros

        return set_zeros(model, setting["sparsity"])


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MovementPruning()
