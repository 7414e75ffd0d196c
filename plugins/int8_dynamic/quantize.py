"""Put eight-bit modules in the place of a model's linear layers and word embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from .modules import Int8Embedding, Int8Linear, quantized

if TYPE_CHECKING:
    from effauto import TaskModel


def quantize(model: TaskModel, embeddings: bool) -> TaskModel:
    """Quantize in place, whatever numbers are there; the head stays as it is."""
    for owner, name, weight, bias in list(linears(model.layers)):
        setattr(owner, name, Int8Linear.of(weight, bias))
    if embeddings:
        table = model.encoder.get_input_embeddings()  # type: ignore[operator]
        model.encoder.set_input_embeddings(Int8Embedding(*quantized(table.weight)))  # type: ignore[operator]
    return model


def linears(layers: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor, Tensor | None]]:
    """Each linear layer: who owns it, under which name, its (outputs, inputs) weight, its bias."""
    for owner in layers.modules():
        for name, child in owner.named_children():
            if isinstance(child, nn.Linear):
                yield owner, name, child.weight, child.bias
            elif isinstance(child, Conv1D):  # GPT-2's, which keeps its weight the other way round
                yield owner, name, child.weight.T, child.bias
