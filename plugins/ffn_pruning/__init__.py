"""Neuron pruning: narrow the inner layers before training. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    BASELINE,
    FITS,
    Choice,
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
    from effauto import Context, TaskModel

# Training rows that neurons are judged by.
ROWS = 256
# Of each matrix into the inner layer, numbers kept before and after the activation, or product.
KEPT = 2.0


class FfnPruning(Method):
    name = "ffn-pruning"
    summary = "Take the least important neurons out of the inner layers, before training."
    stage = "design"
    slot = "neurons"
    requires = frozenset({"transformer", "pretrained"})
    provides = frozenset({"smaller_student"})
    after = ("depth", "pairing", "vocabulary", "heads")
    before = ("body",)
    knobs = {
        "share": Float(0.1, 0.9, default=0.5),
        "importance": Choice(("taylor", "magnitude"), default="taylor"),
    }
    references = (
        "Molchanov, Tyree, Karras, Aila and Kautz 2017, Pruning Convolutional Neural Networks for "
        "Resource Efficient Inference, https://arxiv.org/abs/1611.06440",
        "Hou, Huang, Shang, Jiang, Chen and Liu 2020, DynaBERT: Dynamic BERT with Adaptive Width "
        "and Depth, https://arxiv.org/abs/2004.04037",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if model.feedforward >= 2:
            return FITS
        return Verdict(f"narrows a transformer's inner layers, and {model.name} has none")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        gone = setting["share"]
        if work.feedforward >= 1:
            gone = 1.0 - kept_of(round(work.feedforward), gone) / work.feedforward
        ups = matrices(work) - 1.0
        rows = ups * gone * work.feedforward
        vectors = work.layer_vectors * rows / max(1.0, work.layer_rows)
        numbers = gone * inner_numbers(work)
        removed = min(work.layer_parameters, numbers + vectors)
        trained = work.stored_layers * removed * work.weight_gradients
        units = KEPT * ups * gone * work.feedforward / max(1.0, work.width)
        return replace(
            work if setting["importance"] == "magnitude" else work.after(judged(work)),
            feedforward=work.feedforward * (1.0 - gone),
            layer_parameters=work.layer_parameters - removed,
            layer_vectors=work.layer_vectors - min(work.layer_vectors, vectors),
            layer_rows=max(0.0, work.layer_rows - rows),
            trainable_parameters=max(0.0, work.trainable_parameters - trained),
            activation_units=max(0.0, work.activation_units - units),
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .importance import magnitudes, sensitivities
        from .inner import inner_layers, keep_neurons

        found = inner_layers(model.encoder, model.layers)
        if setting["importance"] == "magnitude":
            scores = [magnitudes(inner) for inner in found]
        else:
            scores = sensitivities(model, found, context, ROWS)
        for inner, score in zip(found, scores, strict=True):
            best = score.topk(kept_of(inner.width, setting["share"])).indices
            keep_neurons(inner, best.sort().values)
        return model

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        import torch

        from .inner import inner_layers_in, keep_neurons

        for inner in list(inner_layers_in(model.layers)):
            keep_neurons(inner, torch.arange(kept_of(inner.width, setting["share"])))
        return model


def kept_of(neurons: int, share: float) -> int:
    """How many of ``neurons`` stay if ``share`` go: at least one."""
    return max(1, neurons - round(share * neurons))


def inner_numbers(work: Workload) -> float:
    """Numbers of an inner layer's matrices: what attention does not have."""
    attention = work.projections + work.width * work.attention_width
    return max(0.0, work.layer_matrices - attention)


def matrices(work: Workload) -> float:
    """How many matrices an inner layer has: two, or three where one gates another."""
    one = max(1.0, work.width * work.feedforward)
    return min(3.0, max(2.0, round(inner_numbers(work) / one)))


def judged(work: Workload) -> Workload:
    """Some of the rows are read, and gradients go back to the first layer's neurons."""
    below = work.layer_matrices - work.width * work.feedforward
    attention = 4.0 * work.attention_width
    size = BASELINE.batch_size
    return work.felt(ROWS, size, spared_flops=2.0 * below, spared_pair_flops=attention)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield FfnPruning()
