"""Prompt tuning: learn a few vectors that stand before the words, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A layer that computes its activations anew keeps fewer than these widths a token.
FEWEST_UNITS = 9.0

PAPER = "Lester, Al-Rfou and Constant 2021, https://arxiv.org/abs/2104.08691"
CHECKED = "the abstract was found by a search and read; not measured here"


class PromptTuning(Method):
    name = "prompt-tuning"
    summary = "Freeze the weights, learn vectors that stand before the words."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    provides = frozenset({"virtual_tokens"})
    knobs = {
        "length": Int(1, 50, default=10, log=True),
        "epochs": Int(1, 10, default=2 * BASELINE.epochs),
        "learning_rate": Float(1e-3, 3e-1, default=3e-2, log=True),
    }
    references = (
        "Lester, Al-Rfou and Constant 2021, The Power of Scale for Parameter-Efficient Prompt "
        "Tuning, https://arxiv.org/abs/2104.08691",
    )
    evidence = (
        Evidence("matches full fine-tuning beyond billions of parameters", PAPER, "T5", CHECKED),
        Evidence("more robust to another domain than full fine-tuning", PAPER, "T5", CHECKED),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Each input is so much longer, in training and in serving."""
        length = setting["length"]
        return replace(
            work.prepend(length),
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=0.0,
            activation_units=_frozen_units(work),
            embedding_parameters=work.embedding_parameters + length * work.width,
            trainable_parameters=length * work.width + work.head_parameters,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .prompts import add_prompts, leave_room, words

        leave_room(model, setting["length"], context)
        model.encoder.requires_grad_(False)
        return add_prompts(model, words(model, setting["length"], context.seed))

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        import torch

        from .prompts import add_prompts

        return add_prompts(model, torch.empty(setting["length"], model.config.hidden_size))


def _frozen_units(work: Workload) -> float:
    """Widths a token that are kept without what only gradients of weights need."""
    context = 1.0 if work.pair_numbers else 0.0  # kept by kernels that make the scores anew
    spared = 2.0 + context + work.feedforward / max(1.0, work.width)
    return max(min(work.activation_units, FEWEST_UNITS), work.activation_units - spared)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield PromptTuning()
