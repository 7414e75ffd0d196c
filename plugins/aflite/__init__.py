"""AFLite: drop rows whose class linear classifiers find most easily. README.md is the card."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Evidence,
    Float,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, Examples

FEWEST_ROWS = 2_000
# Classifiers in the ensemble, and the share of all rows that goes at most after asking it.
ENSEMBLE, SLICE = 16, 0.1
# Single-core seconds of a fit for a row times a square of features, measured on 384 of them.
FIT_SECONDS = 3.5e-11
# What importing scikit-learn takes.
SOLVER_BYTES = 1e8


class AFLite(Method):
    name = "aflite"
    summary = "Drop the rows whose class an ensemble of linear classifiers predicts."
    stage = "data"
    slot = "filter"
    requires = frozenset({"transformer", "pretrained"})
    after = ("subset",)  # classifiers read labels, so rows are bought first
    knobs = {
        "keep": Float(0.3, 1.0, default=0.7),
        "threshold": Float(0.6, 1.0, default=0.75),
    }
    references = (
        "Sakaguchi, Le Bras, Bhagavatula and Choi 2020, WinoGrande, "
        "https://arxiv.org/abs/1907.10641",
        "Le Bras, Swayamdipta, Bhagavatula, Zellers, Peters, Sabharwal and Choi 2020, Adversarial "
        "Filters of Dataset Biases, https://arxiv.org/abs/2002.04108",
    )
    evidence = (
        Evidence(
            claim="accuracy of a large model falls from 92 % to 62 % on what is left",
            source="Le Bras et al. 2020, abstract",
            setting="SNLI, trained and tested on filtered rows; people still answer most",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind == "token-classification":
            return Verdict("filters rows with one class each, and a tagged sentence has many")
        if task.examples < FEWEST_ROWS:
            return Verdict(f"needs {FEWEST_ROWS:,} rows to fit and ask, not {task.examples:,}")
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A pass over all rows and the ensembles, then as many rows as are wanted."""
        rows = max(1.0, work.examples)
        kept = work.on_share(max(1.0, round(setting["keep"] * rows)) / rows)
        fits = ENSEMBLE * math.ceil((1.0 - setting["keep"]) / SLICE)
        fitting = fits * work.examples / 2 * work.width**2 * FIT_SECONDS
        return replace(
            kept.after(work.embedded()),
            library_bytes=max(work.library_bytes, SOLVER_BYTES),
            labels=work.labels,
            host_seconds=kept.host_seconds + fitting,
        )

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from effauto import frozen_features

        from .filtering import unpredictable

        context.labels_read = max(context.labels_read, len(data))
        features = frozen_features(data, context)
        rows = unpredictable(
            features, data.labels, setting["keep"], setting["threshold"], context.seed
        )
        return data.select(rows)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield AFLite()
