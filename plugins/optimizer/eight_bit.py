"""AdamW that keeps both moments of a matrix in eight bits (block-wise, Dettmers et al. 2022).

Their codes are of a look-up table; these are powers, which are as fine near zero: square roots of
the first moment, fourth roots of the second, each over the largest of a block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from . import BLOCK

SIGNED, UNSIGNED = 127, 255


class AdamW8bit(torch.optim.Optimizer):
    """Vectors, which are few numbers and matter, keep 32 bits."""

    def __init__(
        self,
        params: Any,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, group)
        return loss

    def _step(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, (early, late) = parameter.grad, group["betas"]
        assert gradient is not None
        state = self.state[parameter]
        state["step"] = step = state.get("step", 0) + 1
        first, second = _moments(parameter, state)
        first.lerp_(gradient, 1 - early)
        second.mul_(late).addcmul_(gradient, gradient, value=1 - late)
        denominator = second.sqrt().div_(math.sqrt(1 - late**step)).add_(group["eps"])
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.addcdiv_(first, denominator, value=-group["lr"] / (1 - early**step))
        _keep(first, second, state)


def _moments(parameter: Tensor, state: dict[str, Any]) -> tuple[Tensor, Tensor]:
    if state["step"] == 1:
        return torch.zeros_like(parameter), torch.zeros_like(parameter)
    if parameter.ndim < 2:
        return state["first"], state["second"]
    first = unpacked(state["first"], state["first_scale"], SIGNED, 2, parameter)
    return first, unpacked(state["second"], state["second_scale"], UNSIGNED, 4, parameter)


def _keep(first: Tensor, second: Tensor, state: dict[str, Any]) -> None:
    if first.ndim < 2:
        state["first"], state["second"] = first, second
        return
    state["first"], state["first_scale"] = packed(first, SIGNED, 2)
    state["second"], state["second_scale"] = packed(second, UNSIGNED, 4)


def packed(moment: Tensor, highest: int, root: int) -> tuple[Tensor, Tensor]:
    """Codes, (blocks, BLOCK), and the largest magnitude of each block."""
    flat = moment.flatten()
    blocks = torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
    scale = blocks.abs().amax(dim=1, keepdim=True).clamp_(min=1e-38)
    codes = (blocks.abs() / scale).sqrt_()
    if root == 4:
        codes.sqrt_()
    codes.mul_(highest)
    # By chance, up or down: a moment that moves by less than a code a step would never move.
    codes = codes.add_(torch.rand_like(codes)).floor_().clamp_(max=highest)
    if highest == UNSIGNED:  # one rounded to nothing would make an endless step of its weight
        codes.clamp_(min=1)
    return (codes * blocks.sign()).to(torch.int8 if highest == SIGNED else torch.uint8), scale


def unpacked(codes: Tensor, scale: Tensor, highest: int, root: int, like: Tensor) -> Tensor:
    """The moment, in the shape of ``like``."""
    roots = codes.to(scale.dtype) / highest
    blocks = roots.abs().mul_(roots) if root == 2 else roots.square_().square_()
    return blocks.mul_(scale).flatten()[: like.numel()].view_as(like)
