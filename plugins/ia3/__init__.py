"""IA³: freeze the weights, learn vectors that scale activations, and merge them at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Int, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training


class IA3(Method):
    name = "ia3"
    summary = "Freeze the weights, learn to scale keys, values and inner activations."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    forbids = frozenset({"factored_layers"})
    provides = frozenset({"merged_weights"})
    needs = Needs(packages={"peft": "peft"})
    knobs = {
        "epochs": Int(1, 10, default=2 * BASELINE.epochs),
        "learning_rate": Float(1e-3, 5e-2, default=1e-2, log=True),
    }
    references = (
        "Liu, Tam, Muqeeth, Mohta, Huang, Bansal and Raffel 2022, Few-Shot Parameter-Efficient "
        "Fine-Tuning is Better and Cheaper than In-Context Learning, "
        "https://arxiv.org/abs/2205.05638",
    )
    evidence = (
        Evidence(
            claim="6 % absolute above the state of the art of its day, within a larger recipe",
            source="Liu et al. 2022, abstract",
            setting="T0, few examples a task (RAFT)",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A vector for keys, one for values, and one for the inner layer, in each layer.

        What is scaled is kept for the gradients of the vectors, in all as much as full fine-tuning
        keeps for those of the weights.
        """
        keys = work.key_width or work.attention_width
        vectors = work.stored_layers * (2 * keys + work.feedforward)
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=0.0,
            trainable_parameters=vectors + work.head_parameters,
            # below the first layer's keys and values nothing is trained, nor are its queries
            spared_flops=2 * work.projections,
            spared_pair_flops=2 * work.attention_width if work.pair_numbers else 0.0,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .scaling import add_scaling

        return add_scaling(model)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .scaling import merge_scaling

        return merge_scaling(model)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield IA3()
