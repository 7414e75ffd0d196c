"""ALiBi: attention falls with distance, in place of positions. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Evidence, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# What a head keeps of a pair of tokens in padded rows, whose biases differ: the bias.
KEPT = 1.0


class Alibi(Method):
    name = "alibi"
    summary = "Penalise attention by distance instead of telling positions."
    stage = "design"
    slot = "attention"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    provides = frozenset({"own_attention"})
    references = (
        "Press, Smith and Lewis 2022, Train Short, Test Long: Attention with Linear Biases Enables "
        "Input Length Extrapolation, https://arxiv.org/abs/2108.12409",
    )
    evidence = (
        Evidence(
            claim="trained on 1,024 tokens it equals sinusoids trained on 2,048, with 11 % less "
            "time and memory",
            source="Press et al. 2022, abstract",
            setting="a language model of 1.3 billion parameters on CC100 and RoBERTa's text",
            checked="the abstract was read; here the untouched model has rotary positions",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The same products, by the same kernels, handed a bias for each head and pair."""
        return replace(work, pair_numbers=max(work.pair_numbers, KEPT))

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .bias import by_distance

        return by_distance(model)

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .bias import by_distance

        return by_distance(model)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Alibi()
