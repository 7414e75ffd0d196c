"""LoRA: freeze the weights, learn a low-rank addition to some of them, and merge it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    BASELINE,
    Choice,
    Evidence,
    Float,
    Int,
    Method,
    Needs,
    Setting,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A layer that computes its activations anew keeps fewer than these widths a token.
FEWEST_UNITS = 9.0

PAPER = "Hu et al. 2022, https://arxiv.org/abs/2106.09685"
CHECKED = "the abstract was found by a search and read; not measured here"


class Lora(Method):
    name = "lora"
    summary = "Freeze the weights, learn low-rank additions, merge them after training."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    forbids = frozenset({"factored_layers"})
    provides = frozenset({"merged_weights"})
    needs = Needs(packages={"peft": "peft"})
    knobs = {
        "targets": Choice(("attention", "all-linear"), default="attention"),
        "rank": Int(1, 64, default=8, log=True),
        "scale": Float(0.5, 8.0, default=2.0, log=True),
        "epochs": Int(1, 6, default=BASELINE.epochs),
        "learning_rate": Float(1e-4, 2e-2, default=3e-3, log=True),
    }
    references = (
        "Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang and Chen 2022, LoRA: Low-Rank Adaptation of "
        "Large Language Models, https://arxiv.org/abs/2106.09685",
    )
    evidence = (
        Evidence("10,000 times fewer trained parameters", PAPER, "GPT-3 175B", CHECKED),
        Evidence("a third of the GPU memory in training", PAPER, "GPT-3 175B with Adam", CHECKED),
        Evidence("no added inference latency once merged", PAPER, "any model", CHECKED),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """An adapter of a matrix d × e has rank · (d + e) numbers, read and written as weights.

        What is below the first layer is not trained, so its inputs need no gradient, nor its keys,
        unless they have adapters.
        """
        everywhere = setting["targets"] == "all-linear"
        rank, width = setting["rank"], work.width
        ends = 2 * width + work.attention_width + work.key_width  # of queries and values
        if everywhere:  # keys and output too, and all matrices of the inner layer
            ends = 2 * ends + work.inner_matrices * (width + work.feedforward)
        adapters = work.layers * rank * ends
        projected = 3 if everywhere else 2
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=0.0,
            activation_units=max(
                min(work.activation_units, FEWEST_UNITS),
                work.activation_units - _not_kept(work, everywhere),
            ),
            trainable_parameters=adapters + work.head_parameters,
            adapter_parameters=adapters,
            spared_flops=2 * (work.projections + projected * rank * width),
            spared_pair_flops=0.0
            if everywhere or not work.pair_numbers
            else 2 * work.attention_width,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .adapters import add_adapters

        return add_adapters(model, setting["targets"], setting["rank"], setting["scale"])

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .adapters import merge_adapters

        return merge_adapters(model)


def _not_kept(work: Workload, everywhere: bool) -> float:
    """Widths a token that only gradients of weights without adapters need."""
    gated = work.inner_matrices == 3
    norms = 2.0 if gated else 0.0
    if everywhere:
        return norms
    context = 1.0 if work.pair_numbers else 0.0  # kept by kernels that make the scores anew
    return norms + context + 1.0 + work.feedforward / max(1.0, work.width)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Lora()
