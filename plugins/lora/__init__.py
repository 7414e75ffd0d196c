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

# Numbers kept for the backward pass (units of width, a token, a layer) with adapters in the
# attention: what input gradients need, and the adapters' input.
ATTENTION_ACTIVATIONS = 11.0

PAPER = "Hu et al. 2022, https://arxiv.org/abs/2106.09685"
CHECKED = "the abstract was found by a search and read; not measured here"


class Lora(Method):
    name = "lora"
    summary = "Freeze the weights, learn low-rank additions, merge them after training."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    needs = Needs(packages={"peft": "lora"})
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
        """An adapter of a matrix d × e has rank · (d + e) numbers, read and written as weights."""
        everywhere = setting["targets"] == "all-linear"
        widths = 4 * work.width  # query and value, each from width to width
        if everywhere:  # key and output too, and both matrices of the inner layer
            widths = 8 * work.width + 2 * (work.width + work.feedforward)
        adapters = work.layers * setting["rank"] * widths
        read = work.examples * setting["epochs"] * work.train_tokens
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=0.0,
            activation_units=work.activation_units
            if everywhere
            else min(work.activation_units, ATTENTION_ACTIVATIONS),
            trainable_parameters=adapters + work.head_parameters,
            # forward, and backward to inputs and to the adapters themselves
            extra_train_flops=work.extra_train_flops + 3 * 2 * adapters * read,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .adapters import add_adapters

        return add_adapters(model, setting["targets"], setting["rank"], setting["scale"])

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .adapters import merge_adapters

        return merge_adapters(model)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Lora()
