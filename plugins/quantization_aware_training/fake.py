"""Layers that compute as if their numbers had eight bits, and pass gradients straight through."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HIGHEST = 127


def row_scales(weight: Tensor) -> Tensor:
    """The step of each row, (…, 1): its largest number becomes 127 or -127."""
    tiny = torch.finfo(weight.dtype).tiny
    return weight.detach().abs().amax(dim=-1, keepdim=True).clamp(min=tiny) / HIGHEST


def straight_through(rounded: Tensor, exact: Tensor) -> Tensor:
    """The value of ``rounded`` with the gradient of ``exact`` (Bengio et al. 2013)."""
    return exact + (rounded - exact).detach()


def fake_rows(weight: Tensor) -> Tensor:
    """Each row rounded to 255 levels around zero."""
    scale = row_scales(weight)
    return straight_through((weight / scale).round() * scale, weight)


def fake_inputs(x: Tensor, levels: int) -> Tensor:
    """All numbers rounded to ``levels`` + 1 levels from their lowest to their highest.

    Zero is among them, as in torch's dynamically quantized products, which this imitates.
    """
    lowest, highest = x.detach().amin().clamp(max=0.0), x.detach().amax().clamp(min=0.0)
    scale = ((highest - lowest) / levels).clamp(min=torch.finfo(x.dtype).tiny)
    zero = (-lowest / scale).round()
    return straight_through((((x / scale).round() + zero).clamp(0, levels) - zero) * scale, x)


def input_levels() -> int:
    """Steps of an input: without VNNI it must keep to seven bits, lest products clip."""
    return 255 if getattr(torch.cpu, "_is_vnni_supported", lambda: False)() else 127


class FakeInt8Linear(nn.Linear):
    """A linear layer with float weights, whose products are those of int8."""

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter | None) -> None:
        outputs, inputs = weight.shape
        super().__init__(inputs, outputs, bias=bias is not None, device="meta")
        self.weight = weight
        if bias is not None:
            self.bias = bias
        self.levels = input_levels()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(fake_inputs(x, self.levels), fake_rows(self.weight), self.bias)


class FakeInt8Embedding(nn.Embedding):
    """A table whose rows are rounded as they are looked up."""

    def __init__(self, weight: nn.Parameter, padding: int | None) -> None:
        rows, columns = weight.shape
        super().__init__(rows, columns, padding_idx=padding, device="meta")
        self.weight = weight

    def forward(self, numbers: Tensor) -> Tensor:
        return fake_rows(super().forward(numbers))
