"""Head only: leave the network as it is, compute its features once, and fit a linear head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Single-core seconds of the solvers, measured on 384 features: for a row times a weight in one
# of the logistic solver's 60 passes, or one of the 16 penalties that ridge tries; and for a row
# times a square of features.
SOLVE_SECONDS = 7e-11
SOLVER_PASSES = {"logistic": 60, "ridge": 32}
GRAM_SECONDS = 4e-11
# What importing scikit-learn takes.
SOLVER_BYTES = 1e8


class HeadOnly(Method):
    name = "head-only"
    summary = "Embed every example once with the network as it is, and fit a linear head."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"pretrained", "gradient_training"})
    forbids = frozenset({"ordered_examples"})
    removes = frozenset({"gradient_training"})
    knobs = {
        "solver": Choice(("ridge", "logistic"), default="ridge"),
        "C": Float(1e-3, 1e1, default=3e-2, log=True),
    }
    references = (
        "Peters, Ruder and Smith 2019, To Tune or Not to Tune? Adapting Pretrained "
        "Representations to Diverse Tasks, https://arxiv.org/abs/1903.05987",
        "Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, sections "
        "3.4.1 and 7.10 (ridge regression and its leave-one-out errors)",
    )
    evidence = (
        Evidence(
            claim="usually below full fine-tuning in quality, and now less common",
            source="Treviso et al. 2023, Efficient Methods for NLP: A Survey, section 5.1",
            setting="pretrained language models in general; no figure is given",
            checked="read in the survey; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        passes = SOLVER_PASSES[setting["solver"]] * work.head_parameters * SOLVE_SECONDS
        solving = work.examples * (passes + work.width**2 * GRAM_SECONDS)
        return replace(
            work.read_once(),
            library_bytes=max(work.library_bytes, SOLVER_BYTES),
            trainable_parameters=work.head_parameters,
            host_seconds=work.host_seconds + solving,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .fit import fit_head

        return replace(training, fit=partial(fit_head, solver=setting["solver"], C=setting["C"]))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield HeadOnly()
