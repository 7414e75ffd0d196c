"""Prefix tuning: learn keys and values that every word attends to, in each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A layer that computes its activations anew keeps fewer than these widths a token.
FEWEST_UNITS = 9.0
# Joining keys and values with their prefixes and widening the mask, over the calls of a layer,
# the overhead of which is that of 140 small operators.
CALLS = 3 / 140

PAPER = "Li and Liang 2021, https://arxiv.org/abs/2101.00190"
SETTING = "GPT-2 on table-to-text, BART on summarisation"
CHECKED = "the abstract was found by a search and read; not measured here"


class PrefixTuning(Method):
    name = "prefix-tuning"
    summary = "Freeze the weights, learn keys and values to attend to in each layer."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "length": Int(1, 50, default=10, log=True),
        "epochs": Int(1, 10, default=2 * BASELINE.epochs),
        "learning_rate": Float(1e-3, 1e-1, default=1e-2, log=True),
    }
    references = (
        "Li and Liang 2021, Prefix-Tuning: Optimizing Continuous Prompts for Generation, "
        "https://arxiv.org/abs/2101.00190",
        "Liu, Ji, Fu, Tam, Du, Yang and Tang 2022, P-Tuning v2: Prompt Tuning Can Be Comparable "
        "to Fine-tuning Universally Across Scales and Tasks, https://arxiv.org/abs/2110.07602",
    )
    evidence = (
        Evidence(
            "like full fine-tuning in quality from 0.1 % of the parameters", PAPER, SETTING, CHECKED
        ),
        Evidence("better than full fine-tuning on few data", PAPER, SETTING, CHECKED),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A token meets each key and each value once, as it does the weights of a matrix.

        Where heads share keys, it meets them once a head.
        """
        width = work.key_width or work.attention_width
        numbers = 2 * setting["length"] * width
        again = 4 * setting["length"] * work.layers * max(0.0, work.attention_width - width)
        return replace(
            work,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            weight_gradients=numbers / max(1.0, work.layer_matrices + numbers),
            activation_units=_frozen_units(work) + _met(work, setting["length"]),
            layer_parameters=work.layer_parameters + numbers,
            token_flops=work.token_flops + again,
            trainable_parameters=work.stored_layers * numbers + work.head_parameters,
            # below the first layer's prefix nothing is trained, nor are its queries
            spared_flops=2 * (work.projections + setting["length"] * work.attention_width),
            spared_pair_flops=2 * work.attention_width if work.pair_numbers else 0.0,
            dispatches=work.dispatches * (1.0 + CALLS),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .prefixes import add_prefixes

        model.encoder.requires_grad_(False)
        return add_prefixes(model, setting["length"], context.seed)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .prefixes import add_prefixes

        return add_prefixes(model, setting["length"])


def _frozen_units(work: Workload) -> float:
    """Widths a token that are kept without what only gradients of weights need."""
    context = 1.0 if work.pair_numbers else 0.0  # kept by kernels that make the scores anew
    spared = 2.0 + context + work.feedforward / max(1.0, work.width)
    return max(min(work.activation_units, FEWEST_UNITS), work.activation_units - spared)


def _met(work: Workload, length: float) -> float:
    """Widths a token that a prefix adds: a copy of it a row, and its scores where they are kept."""
    tokens = max(1.0, work.longest_tokens / max(1.0, work.inputs))
    copies = 2.0 * length * work.key_width / tokens
    return (copies + work.pair_numbers * length * work.heads) / max(1.0, work.width)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield PrefixTuning()
