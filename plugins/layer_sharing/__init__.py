"""Layer sharing: neighbouring layers share one set of weights. README.md is the card."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
    Int,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel


class LayerSharing(Method):
    name = "layer-sharing"
    summary = "Let groups of neighbouring layers share one set of weights, before training."
    stage = "design"
    slot = "sharing"
    requires = frozenset({"transformer"})
    provides = frozenset({"smaller_student", "shared_layers"})
    after = ("depth",)
    before = ("heads", "neurons", "factorization", "body")
    knobs = {
        "repeats": Int(2, 6, default=2),
        "start": Choice(("mean", "first"), default="mean"),
    }
    references = (
        "Lan, Chen, Goodman, Gimpel, Sharma and Soricut 2020, ALBERT: A Lite BERT for "
        "Self-supervised Learning of Language Representations, https://arxiv.org/abs/1909.11942",
        "Treviso et al. 2023, Efficient methods for natural language processing: a survey, "
        "section 8.2, https://arxiv.org/abs/2209.00099",
    )
    evidence = (
        Evidence(
            claim="sharing weights helps training little, and memory more when serving",
            source="Treviso et al. 2023, section 8.2, on Dehghani et al. 2022",
            setting="transformers in general; no figure is given",
            checked="read in the survey; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.layers >= 2:
            return FITS
        return Verdict(f"needs at least two layers that could share, and {model.name} has fewer")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """As many layers are computed, and fewer are stored and trained."""
        stored = min(work.stored_layers, float(math.ceil(work.layers / setting["repeats"])))
        spared = (work.stored_layers - stored) * work.layer_parameters * work.weight_gradients
        trainable = max(0.0, work.trainable_parameters - spared)
        return replace(work, stored_layers=stored, trainable_parameters=trainable)

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .share import groups, merge, share

        if setting["start"] == "mean" and "pretrained" in context.model.facts:
            for group in groups(model, setting["repeats"]):
                merge(group)
        return share(model, setting["repeats"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .share import share

        return share(model, setting["repeats"])


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LayerSharing()
