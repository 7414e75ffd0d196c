"""Weights and arithmetic in bfloat16. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel


class Bf16Weights(Method):
    name = "bf16-weights"
    summary = "Store and serve the trained model in bfloat16: half the size."
    stage = "compress"
    slot = "precision"
    requires = frozenset({"transformer", "float_weights", "eager_module"})
    removes = frozenset({"eager_module"})
    references = (
        "Kalamkar et al. 2019, A study of bfloat16 for deep learning training, "
        "https://arxiv.org/abs/1905.12322",
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        layer, embedding = min(16.0, work.layer_bits), min(16.0, work.embedding_bits)
        return replace(work, layer_bits=layer, embedding_bits=embedding, compute="bfloat16")

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        return cast_parameters(model)  # a saved tensor brings its own precision, so no restore


def cast_parameters(model: TaskModel) -> TaskModel:
    """Cast in place. Buffers stay: positions and rotary frequencies need their precision."""
    import torch

    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    return model


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Bf16Weights()
