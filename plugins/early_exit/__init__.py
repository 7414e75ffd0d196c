"""Early exit: classifiers after inner layers answer the requests that they are sure of."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    BASELINE,
    FITS,
    Evidence,
    Float,
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

# Exits are fitted to this many rows at most.
ROWS = 5_000
# Single-core seconds of the solver, for a row times a weight: 60 passes forward and backward.
SOLVE_SECONDS = 60 * 1e-10
# Small operators of an exit: pooling, product, entropy; and of a pass and of a layer.
EXIT_CALLS, PASS_CALLS, LAYER_CALLS = 20.0, 150.0, 140.0
# How soon requests leave as the threshold rises: fitted to a six-layer encoder, fine-tuned on 1,000
# questions of six kinds and on 800 film reviews, where depths came out within a fifth.
STEEPNESS = 3.3


class EarlyExit(Method):
    name = "early-exit"
    summary = "Answer after an inner layer whenever its own classifier is sure enough."
    stage = "inference"
    requires = frozenset({"transformer"})
    forbids = frozenset({"virtual_tokens"})  # which exits would have to leave out of their mean
    removes = frozenset({"eager_module"})
    before = ("runtime",)  # which may compile the model: how deep it goes depends on its input
    knobs = {
        "threshold": Float(0.0, 0.7, default=0.1),
        "every": Int(1, 3, default=1),
    }
    references = (
        "Xin, Tang, Lee, Yu and Lin 2020, DeeBERT: Dynamic Early Exiting for Accelerating BERT "
        "Inference, https://arxiv.org/abs/2004.12993",
        "Xin, Tang, Yu and Lin 2021, BERxiT: Early Exiting for BERT with Better Fine-Tuning and "
        "Extension to Regression, https://aclanthology.org/2021.eacl-main.8",
    )
    evidence = (
        Evidence(
            claim="up to about 40 % of the inference time saved with minimal degradation",
            source="Xin et al. 2020, abstract",
            setting="BERT and RoBERTa on six classification tasks, one request at a time",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind not in ("text-classification", "pair-classification"):
            return Verdict("answers for a whole text, and the words of one are sure at any depth")
        if model.layers < 3:
            return Verdict(f"needs three layers to leave between, and {model.name} has fewer")
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """One more pass over the rows, a solution for each exit, and the heads beside the model."""
        layers, every = round(work.layers), setting["every"]
        exits = float(len(exit_places(layers, every)))
        rows = min(work.examples, ROWS)
        calls = PASS_CALLS + LAYER_CALLS * work.layers
        read = replace(work, examples=rows, batch_size=BASELINE.batch_size, host_seconds=0.0)
        return replace(
            work.after(read.read_once()),
            host_seconds=work.host_seconds + exits * rows * work.head_parameters * SOLVE_SECONDS,
            head_parameters=work.head_parameters * (1.0 + exits),
            request_depth=work.request_depth * depth(layers, every, setting["threshold"]),
            dispatches=work.dispatches * (1.0 + exits * EXIT_CALLS / calls),
        )

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .exits import fit_exits
        from .model import EarlyExitModel

        leaving = EarlyExitModel(model, setting["every"], setting["threshold"])
        return fit_exits(leaving, ROWS, context)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .model import EarlyExitModel

        return EarlyExitModel(model, setting["every"], setting["threshold"])


def exit_places(layers: int, every: int) -> list[int]:
    """After which layers, counted from 0, one may leave; the last has the model's own head."""
    return list(range(every - 1, layers - 1, every))


def depth(layers: int, every: int, threshold: float) -> float:
    """The share of the layers that an average request passes, before anything is measured.

    All pass those below the first exit; how many leave there and later depends on the task.
    """
    places = exit_places(layers, every)
    if not places:
        return 1.0
    first = (places[0] + 1) / layers
    return first + (1.0 - first) * math.exp(-STEEPNESS * math.sqrt(threshold))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield EarlyExit()
