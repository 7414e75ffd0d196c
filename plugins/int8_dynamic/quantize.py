"""Put eight-bit modules in the place of a model's linear layers and word embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from effauto import EffautoError

from .modules import Int8Embedding, Int8Linear, quantized

if TYPE_CHECKING:
    from effauto import TaskModel


Quantizer = Callable[[Tensor], tuple[Tensor, Tensor]]


def quantize(model: TaskModel, embeddings: bool, how: Quantizer = quantized) -> TaskModel:
    """Quantize in place, with ``how``; the head stays as it is."""
    for owner, name, weight, bias in list(linears(model.layers)):
        setattr(owner, name, Int8Linear(*how(weight), bias))
    if embeddings:
        owner, name, table = word_table(model)
        setattr(owner, name, Int8Embedding(*how(table.weight)))
    return model


def word_table(model: TaskModel) -> tuple[nn.Module, str, nn.Embedding]:
    """The table of words, also a narrow one that stands beside a matrix: who owns it, its name."""
    for owner in model.encoder.modules():
        for name, part in owner.named_children():
            if isinstance(part, nn.Embedding) and part.num_embeddings == model.config.vocab_size:
                return owner, name, part
    raise EffautoError("int8-dynamic finds no table of words in float32: set embeddings to False")


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
