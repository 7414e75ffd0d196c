"""Dynamic padding: batch rows of like length and pad a batch to its own longest row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Method, Setting, Workload, hookimpl

from .buckets import by_length, pool_batches

if TYPE_CHECKING:
    from effauto import Context, Training


class DynamicPadding(Method):
    name = "dynamic-padding"
    summary = "Batch rows of like length and pad a batch to its own longest row."
    stage = "finetune"
    slot = "padding"
    requires = frozenset({"gradient_training"})
    after = ("adaptation", "order")  # the first may do without batches, the second orders rows
    references = (
        "Wolf et al. 2020, Transformers: State-of-the-Art Natural Language Processing "
        "(LengthGroupedSampler), https://arxiv.org/abs/1910.03771",
        "Reimers and Gurevych 2019, Sentence-BERT (smart batching, section 7), "
        "https://arxiv.org/abs/1908.10084",
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A token count near the mean; the longest batch, and so the peak of memory, stays."""
        size = max(1.0, work.batch_size)
        return work.by_length(size * int(pool_batches(work.examples, size)))

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, padding="longest", group=by_length)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield DynamicPadding()
