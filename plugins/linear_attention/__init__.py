"""Linear attention: a sum of keys and values that is carried along. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Evidence, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel

CHUNK = 64
KEPT = 2.0  # of a pair of tokens in a chunk: its score, and the same where it may be read
KEPT_UNITS = 6.0  # features of queries and keys before and after, values, and results undivided
BACKWARD = 2.0


class LinearAttention(Method):
    name = "linear-attention"
    summary = "Replace softmax by a product of features, so that cost is linear in length."
    stage = "design"
    slot = "attention"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    provides = frozenset({"own_attention"})
    references = (
        "Katharopoulos, Vyas, Pappas and Fleuret 2020, Transformers are RNNs: Fast Autoregressive "
        "Transformers with Linear Attention, https://arxiv.org/abs/2006.16236",
    )
    evidence = (
        Evidence(
            claim="similar performance to vanilla transformers, up to 4000 times faster on "
            "autoregressive prediction of very long sequences",
            source="Katharopoulos et al. 2020, abstract",
            setting="image generation and speech recognition",
            checked="the abstract was read; on text it loses quality, see the card",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A token meets those of its chunk, and a sum of the size of a head for those before."""
        head = work.attention_width / max(1.0, work.heads)
        return replace(
            work,
            reach=CHUNK + head,
            pair_numbers=max(work.pair_numbers, KEPT),
            attention_backward=BACKWARD,
            activation_units=work.activation_units + KEPT_UNITS,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        return self.restore(model, setting)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from effauto import attend_by

        from .carried import carried

        return attend_by(model, carried)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield LinearAttention()
