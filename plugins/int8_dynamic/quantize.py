"""Put eight-bit modules in the place of a model's linear layers and word embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from .modules import Int8Embedding, Int8Linear, quantized

if TYPE_CHECKING:
    from effauto import TaskModel


Quantizer = Callable[[Tensor], tuple[Tensor, Tensor]]


def quantize(model: TaskModel, embeddings: bool, how: Quantizer = quantized) -> TaskModel:
    """Quantize in place, with ``how``; the head stays as it is."""
    for owner, name, weight, bias in list(linears(model.layers)):
        setattr(owner, name, Int8Linear(*how(weight), bias))
    if embeddings:
        encoder: Any = model.encoder
        encoder.set_input_embeddings(Int8Embedding(*how(encoder.get_input_embeddings().weight)))
    return model


def unfilled(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Places for the numbers of ``weight``, to be loaded."""
    return torch.empty(weight.shape, dtype=torch.int8), torch.empty(len(weight))


def linears(layers: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor, Tensor | None]]:
    """Each linear layer: who owns it, under which name, its (outputs, inputs) weight, its bias."""
    for owner in layers.modules():
        for name, child in owner.named_children():
            if isinstance(child, nn.Linear):
                yield owner, name, child.weight, child.bias
            elif isinstance(child, Conv1D):  # GPT-2's, which keeps its weight the other way round
                yield owner, name, child.weight.T, child.bias
