"""Entmax attention: scores that become exactly zero. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Evidence, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# Of a pair of tokens: scores, those masked, what they become, and its root.
KEPT = 4.0
BACKWARD = 2.0


class EntmaxAttention(Method):
    name = "entmax-attention"
    summary = "Attend by 1.5-entmax, which gives most tokens a weight of exactly zero."
    stage = "design"
    slot = "attention"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    provides = frozenset({"own_attention", "dynamic_graph"})
    needs = Needs(packages={"entmax": "entmax"})
    references = (
        "Peters, Niculae and Martins 2019, Sparse Sequence-to-Sequence Models, "
        "https://arxiv.org/abs/1905.05702",
        "Correia, Niculae and Martins 2019, Adaptively Sparse Transformers, "
        "https://arxiv.org/abs/1909.00015",
    )
    evidence = (
        Evidence(
            claim="heads that attend sparsely, without loss of accuracy",
            source="Correia et al. 2019, abstract",
            setting="transformers for machine translation",
            checked="the abstract was read; no speed is claimed there, nor found here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The same products, with all scores kept; the sort that it takes is not counted."""
        return replace(work, pair_numbers=max(work.pair_numbers, KEPT), attention_backward=BACKWARD)

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        return self.restore(model, setting)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from effauto import attend_by

        from .sparse import sparsely

        return attend_by(model, sparsely)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield EntmaxAttention()
