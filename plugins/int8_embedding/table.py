"""A word table of eight-bit numbers, saved as plain tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from effauto import TaskModel

HIGHEST = 127
Quantizer = Callable[[Tensor], tuple[Tensor, Tensor]]


class Int8Table(nn.Module):
    """Row = integers · scale, made when it is looked up, in the scale's precision."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, numbers: Tensor) -> Tensor:
        rows = nn.functional.embedding(numbers, self.weight)
        return rows.to(self.scale.dtype) * self.scale[numbers].unsqueeze(-1)


def quantized(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Integers from -127 to 127, (rows, columns), and a scale for each row."""
    scale = weight.detach().abs().amax(dim=1) / HIGHEST
    scale = scale.clamp(min=torch.finfo(scale.dtype).tiny)
    return (weight.detach() / scale[:, None]).round().clamp(-HIGHEST, HIGHEST).to(torch.int8), scale


def unfilled(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Places for the numbers of ``weight``, to be loaded."""
    return torch.empty(weight.shape, dtype=torch.int8), torch.empty(len(weight))


def quantize(model: TaskModel, how: Quantizer) -> TaskModel:
    """Quantize the word table in place, also a narrow one that stands beside a matrix.

    One that a method before has put in integers already is left to it.
    """
    for owner in model.encoder.modules():
        for name, part in owner.named_children():
            if isinstance(part, nn.Embedding) and part.num_embeddings == model.config.vocab_size:
                setattr(owner, name, Int8Table(*how(part.weight)))
                return model
    return model
