"""Layers that hold eight-bit numbers: what a model trained for them is served with."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from .fake import input_levels, row_scales

Integers = tuple[Tensor, Tensor]


def integers(weight: Tensor) -> Integers:
    """int8 numbers like ``weight``, (rows, columns), and a float32 step for each row."""
    weight = weight.detach().float()
    scale = row_scales(weight)
    return (weight / scale).round().to(torch.int8), scale.squeeze(-1)


def unfilled(weight: Tensor) -> Integers:
    """Places for the integers of ``weight``, to be loaded."""
    return torch.empty(weight.shape, dtype=torch.int8), torch.empty(len(weight))


class Int8Linear(nn.Module):
    """A product of bytes: the input becomes integers anew for each call."""

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()
        self.register_buffer("bias", bias)
        self._packed: Any = None
        self._seven_bits = input_levels() < 255

    def forward(self, x: Tensor) -> Tensor:
        if self._packed is None:  # the numbers may have been loaded after the layer was made
            self._packed = self._pack()
        product = torch.ops.quantized.linear_dynamic(x, self._packed, self._seven_bits)
        return torch.as_tensor(product)

    def _pack(self) -> Any:
        # torch's quantized tensors, if not the products that need them, are on their way out.
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        zeros = torch.zeros(len(self.scale), dtype=torch.long)
        rows = torch._make_per_channel_quantized_tensor(self.weight, self.scale.double(), zeros, 0)
        return torch.ops.quantized.linear_prepack(rows, self.bias)


class Int8Embedding(nn.Module):
    """A table whose rows become float32 as they are looked up."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, numbers: Tensor) -> Tensor:
        rows = nn.functional.embedding(numbers, self.weight)
        return rows.float() * self.scale[numbers].unsqueeze(-1)
