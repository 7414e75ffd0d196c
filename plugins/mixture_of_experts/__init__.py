"""Mixture of experts: more numbers, of which each token uses a few. README.md is the card."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
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
    from effauto import Context, TaskModel, Training


class MixtureOfExperts(Method):
    name = "mixture-of-experts"
    summary = "Give each layer several inner networks, and send a token through few of them."
    stage = "design"
    slot = "inner-layer"
    requires = frozenset({"transformer", "from_scratch", "gradient_training"})
    provides = frozenset({"dynamic_graph"})
    knobs = {
        "experts": Choice((2, 4, 8, 16), default=4),
        "chosen": Choice((1, 2), default=1),
        "balance": Float(1e-3, 1e-1, default=1e-2, log=True),
    }
    references = (
        "Fedus, Zoph and Shazeer 2022, Switch Transformers, https://arxiv.org/abs/2101.03961",
        "Shazeer et al. 2017, Outrageously Large Neural Networks: The Sparsely-Gated "
        "Mixture-of-Experts Layer, https://arxiv.org/abs/1701.06538",
        "Jiang et al. 2024, Mixtral of Experts, https://arxiv.org/abs/2401.04088",
    )
    evidence = (
        Evidence(
            claim="up to 7 times faster pre-training with the same computational resources",
            source="Fedus et al. 2022, abstract",
            setting="T5-Base and T5-Large on C4, many accelerators",
            checked="the abstract was read; the card tells what a small model on a CPU gains",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.gated and model.layers:
            return FITS
        return Verdict(f"makes experts of gated inner layers, and those of {model.name} are not")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Each token multiplies as many numbers as before, and the router's; the rest lie idle."""
        inner = inner_of(round(work.feedforward), setting["chosen"])
        a_network = 3.0 * work.width * inner
        dense = min(3.0 * work.width * work.feedforward, work.layer_matrices)
        router = work.width * setting["experts"]
        stored = setting["experts"] * a_network + router
        used = setting["chosen"] * a_network + router
        # Rows sorted by expert, before and after, and what gates and inner layers join them to.
        units = 3.0 * setting["chosen"] + 2.0 * work.feedforward / max(1.0, work.width)
        added = work.stored_layers * (stored - dense) * work.weight_gradients
        return replace(
            work,
            layer_parameters=work.layer_parameters - dense + stored,
            layer_vectors=work.layer_vectors + stored - used,
            trainable_parameters=max(0.0, work.trainable_parameters + added),
            activation_units=work.activation_units + units,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .experts import drawn_as, route

        route(model, setting, drawn_as)
        return model.joined()

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .experts import route, unfilled

        return route(model, setting, unfilled)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .balance import Balanced

        return replace(training, loss=Balanced(training.loss, setting["balance"]))


def inner_of(feedforward: int, chosen: int) -> int:
    """An expert's inner width: those chosen are together as wide as the layer was."""
    return math.ceil(feedforward / chosen)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MixtureOfExperts()
