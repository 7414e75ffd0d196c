"""Contrastive few-shot tuning: teach the body which texts are of one class, then fit a head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import (
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
    from effauto import Context, Training

# Single-core seconds of the head's solver for a row times a weight in one of its passes, measured
# on 384 features, and how many passes there are at most.
SOLVE_SECONDS, PASSES = 1e-10, 100
# What importing scikit-learn takes.
SOLVER_BYTES = 1e8


class ContrastiveFewshot(Method):
    name = "contrastive-fewshot"
    summary = "Tune the network on pairs of like and unlike texts, then fit a linear head."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    forbids = frozenset({"ordered_examples"})
    removes = frozenset({"gradient_training"})
    knobs = {
        "pairs": Int(1, 20, default=5, log=True),
        "learning_rate": Float(1e-5, 1e-3, default=5e-5, log=True),
    }
    references = (
        "Tunstall, Reimers, Jo, Bates, Korat, Wasserblat and Pereg 2022, Efficient Few-Shot "
        "Learning Without Prompts, https://arxiv.org/abs/2209.11055",
        "Reimers and Gurevych 2019, Sentence-BERT (cosine-similarity loss), "
        "https://arxiv.org/abs/1908.10084",
    )
    evidence = (
        Evidence(
            claim="8 labelled rows a class compete with fine-tuning a large model on 3,000 rows",
            source="Tunstall et al. 2022, as its authors' software describes it",
            setting="sentiment of customer reviews, sentence encoder of 110 million parameters, "
            "against RoBERTa large",
            checked="two summaries were found by a search and read; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind == "text-classification":
            return FITS
        return Verdict("pairs single texts with one class each, which this task does not have")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A row leads so many pairs of each kind, of two texts each; then all are read once."""
        passes = 4.0 * setting["pairs"]
        solving = work.examples * work.head_parameters * PASSES * SOLVE_SECONDS
        solved = replace(work.read_once(), host_seconds=0.0)
        return replace(
            work.shuffled().after(solved),
            library_bytes=max(work.library_bytes, SOLVER_BYTES),
            forward_passes=passes,
            backward_passes=passes,
            host_seconds=work.host_seconds + solving,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .fewshot import fit_fewshot

        fit = partial(fit_fewshot, fit=training.fit, pairs=setting["pairs"])
        return replace(training, learning_rate=setting["learning_rate"], fit=fit)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield ContrastiveFewshot()
