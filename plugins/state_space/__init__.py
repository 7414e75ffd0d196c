"""State space: a long filter for each channel in the place of attention. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
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

# Of each channel: its step and what it lets pass; of each state: two numbers of A and two of C.
A_CHANNEL, A_STATE = 2.0, 4.0
# What a backward pass keeps of a filter: transforms of twice its length, of what goes in and out.
KEPT_UNITS = 4.0


class StateSpace(Method):
    name = "state-space"
    summary = "Filter each channel by a diagonal state space in the place of attention."
    stage = "design"
    slot = "attention"
    requires = frozenset({"transformer", "from_scratch", "decoder"})
    forbids = frozenset({"grouped_queries"})
    provides = frozenset({"own_attention"})
    removes = frozenset({"eager_module"})  # Fourier transforms are neither exported nor narrowed
    after = ("key-heads",)
    knobs = {"states": Choice((8, 16, 32), default=16)}
    references = (
        "Gu, Gupta, Goel and Ré 2022, On the Parameterization and Initialization of Diagonal State "
        "Space Models, https://arxiv.org/abs/2206.11893",
        "Mehta, Gupta, Cutkosky and Neyshabur 2023, Long Range Language Modeling via Gated State "
        "Spaces, https://arxiv.org/abs/2206.13947",
    )
    evidence = (
        Evidence(
            claim="diagonal state spaces match S4, at 85 % on average on the Long Range Arena",
            source="Gu et al. 2022, abstract",
            setting="inputs of 1,024 to 16,384 steps",
            checked="the abstract was read; on text of 128 pieces attention is not the cost",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        whole = model.attention_width or model.width
        if model.layers and (model.key_width or whole) == whole:
            return FITS
        return Verdict(f"needs attention with values as wide as queries, unlike {model.name}")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """No products of pairs and no keys; the transforms are not products of matrices."""
        keys = min(work.width * work.key_width, work.layer_matrices)
        added = work.attention_width * (A_CHANNEL + A_STATE * setting["states"])
        trained = (added - keys) * work.stored_layers * work.weight_gradients
        return replace(
            work,
            reach=1.0,  # of its own input, by which a channel is multiplied
            pair_numbers=0.0,
            cached_widths=0.0,
            layer_parameters=work.layer_parameters - keys + added,
            layer_vectors=work.layer_vectors + added,
            layer_rows=max(0.0, work.layer_rows - work.key_width),
            trainable_parameters=max(0.0, work.trainable_parameters + trained),
            activation_units=work.activation_units + KEPT_UNITS,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        return self.restore(model, setting).joined()

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .filters import filter_channels

        return filter_channels(model, setting["states"])


@hookimpl
def register_methods() -> Iterator[Method]:
    yield StateSpace()
