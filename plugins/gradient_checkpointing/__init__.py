"""Gradient checkpointing: keep a layer's input only, and compute the rest once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Evidence,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, Training


class GradientCheckpointing(Method):
    name = "gradient-checkpointing"
    summary = "Keep each layer's input only and compute its activations once more."
    stage = "finetune"
    slot = "activations"
    requires = frozenset({"transformer", "gradient_training"})
    # The first may do without gradient steps or keep other activations, the second shrinks them.
    after = ("adaptation", "training-precision")
    before = ("objective",)  # a teacher that comes on top keeps its activations
    references = (
        "Chen, Xu, Zhang and Guestrin 2016, Training Deep Nets with Sublinear Memory Cost, "
        "https://arxiv.org/abs/1604.06174",
    )
    evidence = (
        Evidence(
            claim="memory for activations in the order of the square root of the depth, for one "
            "more forward pass a batch",
            source="Chen et al. 2016",
            setting="any deep network; this method keeps one input a layer",
            checked="found by a search, as summarised in a lecture; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.layers >= 2:
            return FITS
        return Verdict(f"saves nothing on fewer than two layers, which {model.name} has")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """At the peak there is an input of each layer, and all that one layer keeps."""
        kept = 1.0 + work.activation_units / max(1.0, work.layers)
        # where nothing follows a layer's last product, it is not computed anew: nobody reads it
        last = 2.0 * work.width * work.feedforward if work.normed_first else 0.0
        return replace(
            work,
            recomputed=1.0,
            activation_units=min(work.activation_units, kept),
            spared_flops=work.spared_flops + work.layers * work.backward_depth * last,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .checkpoint import fit_with_checkpoints

        return replace(training, fit=partial(fit_with_checkpoints, fit=training.fit))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield GradientCheckpointing()
