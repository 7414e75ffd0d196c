"""Masking rate: how much of a row is hidden, and behind what. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# What stands in the place of a hidden piece: the shares of the mask and of pieces drawn at random.
CORRUPTIONS = {"mask": (1.0, 0.0), "mixed": (0.8, 0.1)}


class MaskingRate(Method):
    name = "masking-rate"
    summary = "Hide another share of each row than 15 %, and choose what stands in its place."
    stage = "pretrain"
    requires = frozenset({"transformer", "from_scratch", "encoder", "gradient_training"})
    after = ("adaptation",)
    knobs = {
        "rate": Float(0.1, 0.6, default=0.3),
        "corruption": Choice(tuple(CORRUPTIONS), default="mask"),
    }
    references = (
        "Wettig et al. 2023, Should You Mask 15% in Masked Language Modeling?, "
        "https://arxiv.org/abs/2202.08005",
        "Devlin et al. 2019, BERT, https://arxiv.org/abs/1810.04805",
    )
    evidence = (
        Evidence(
            claim="masking 40 % outperforms 15 % for large models, and 80 % preserves 95 % of the "
            "fine-tuning performance; the 80-10-10 corruption is not needed",
            source="Wettig et al. 2023, abstract",
            setting="models of BERT-large's size, fine-tuned on GLUE and SQuAD",
            checked="the abstract was read; smaller models want smaller rates, as it says",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The layers read as much as ever; more of it is to be answered."""
        return replace(work, asked=setting["rate"])

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        marked, swapped = CORRUPTIONS[setting["corruption"]]
        masking = replace(training.masking, rate=setting["rate"], marked=marked, swapped=swapped)
        return replace(training, masking=masking)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MaskingRate()
