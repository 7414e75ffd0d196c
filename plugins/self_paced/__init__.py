"""Self-paced learning: rows count once their loss is below a threshold that grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# The share of the training in which all rows count, since an untrained head knows none as easy.
WARMUP = 0.1


class SelfPaced(Method):
    name = "self-paced"
    summary = "Learn from rows whose loss is below a threshold that grows as training goes on."
    stage = "finetune"
    slot = "batch-selection"
    requires = frozenset({"gradient_training"})
    after = ("adaptation", "stopping")
    before = ("objective",)  # whose loss is then that of the easy rows
    knobs = {
        "start": Float(0.3, 0.9, default=0.5),
        "pacing": Float(0.3, 1.0, default=0.7),
    }
    references = (
        "Kumar, Packer and Koller 2010, Self-Paced Learning for Latent Variable Models, "
        "https://papers.nips.cc/paper/3923-self-paced-learning-for-latent-variable-models",
    )
    evidence = (
        Evidence(
            claim="better than the state of the art of its time on four applications",
            source="Kumar et al. 2010, abstract",
            setting="latent structural support vector machines; no network was trained",
            checked="the abstract was found by a search and read; not measured here",
        ),
        Evidence(
            claim="a large additional cost of training is its drawback",
            source="Treviso et al. 2023, Efficient Methods for NLP: A Survey, section 2.3",
            setting="language models in general; no figure is given",
            checked="read in the survey; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """While rows are chosen, a pass to ask, and then both passes over those that count."""
        paced = max(0.0, setting["pacing"] - WARMUP)
        share = (setting["start"] + 1.0) / 2.0
        return replace(
            work,
            forward_passes=work.forward_passes + paced * share * work.backward_passes,
            backward_passes=work.backward_passes * (1.0 - paced * (1.0 - share)),
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .pace import fit_paced

        fit = partial(
            fit_paced,
            fit=training.fit,
            warmup=WARMUP,
            start=setting["start"],
            pacing=setting["pacing"],
        )
        return replace(training, fit=fit)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield SelfPaced()
