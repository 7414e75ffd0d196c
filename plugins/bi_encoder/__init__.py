"""Bi-encoder: read the two texts of a pair each on its own, and compare their features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
    from effauto import Context, TaskModel

FEATURES = 4  # a, b, |a - b| and a · b
# The shorter text is padded to the longer one of its row (on SICK a tenth of the pair), and each
# text has two special tokens and is rounded up to a multiple of 8.
UNEVENNESS = 1.1
SECOND_INPUT = 5.5


class BiEncoder(Method):
    name = "bi-encoder"
    summary = "Read each text of a pair on its own and classify how their features differ."
    stage = "design"
    slot = "pairing"
    requires = frozenset({"transformer"})
    references = (
        "Reimers and Gurevych 2019, Sentence-BERT: Sentence Embeddings using Siamese "
        "BERT-Networks, https://arxiv.org/abs/1908.10084",
    )
    evidence = (
        Evidence(
            claim="finding the most similar of 10,000 sentences takes 5 s instead of 65 h",
            source="Reimers and Gurevych 2019, abstract",
            setting="BERT on a GPU; each sentence read once instead of once a pair",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind != "pair-classification":
            return Verdict(f"compares two texts, and this task is {task.kind}")
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A few more tokens, in two inputs; the head reads four times as many features."""
        added = (FEATURES - 1) * work.head_parameters * work.width / (work.width + 1)
        return replace(
            work.apart() if work.sides else _guessed(work),
            head_parameters=work.head_parameters + added,
            trainable_parameters=work.trainable_parameters + added,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        model.pair_separately()
        return model


def _guessed(work: Workload) -> Workload:
    """Both texts in inputs of their own, where their lengths were not measured."""
    return replace(
        work.apart(),
        request_tokens=UNEVENNESS * work.request_tokens + SECOND_INPUT,
        train_tokens=work.train_tokens + SECOND_INPUT,
        longest_tokens=work.longest_tokens + SECOND_INPUT,
    )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield BiEncoder()
