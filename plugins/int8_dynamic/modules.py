"""Linear layers and embedding tables that hold eight-bit numbers, saved as plain tensors.

A row of a matrix shares one scale: number = integer · scale, with integers from -127 to 127.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

HIGHEST = 127


def quantized(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 numbers like ``weight``, (rows, columns), and a float32 scale for each row."""
    weight = weight.detach().float()
    scale = weight.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / HIGHEST
    return (weight / scale[:, None]).round().to(torch.int8), scale


class Int8Linear(nn.Module):
    """A linear layer; its input is quantized too, anew for each call."""

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        bias = torch.zeros(len(weight)) if bias is None else bias.detach().float()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)
        self._packed: Any = None

    def forward(self, x: Tensor) -> Tensor:
        if self._packed is None:  # the numbers may have been loaded after the layer was made
            self._packed = self._pack()
        return torch.as_tensor(torch.ops.quantized.linear_dynamic(x, self._packed, not has_vnni()))

    def _pack(self) -> Any:
        # torch's quantized tensors, if not the products that need them, are on their way out.
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        zeros = torch.zeros(len(self.scale), dtype=torch.long)
        weight = torch._make_per_channel_quantized_tensor(
            self.weight, self.scale.double(), zeros, 0
        )
        return torch.ops.quantized.linear_prepack(weight, self.bias)


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


def has_vnni() -> bool:
    """Whether the processor multiplies full bytes; without, inputs must keep to seven bits."""
    return bool(getattr(torch.cpu, "_is_vnni_supported", lambda: False)())
