"""Gated inner layers, several of them, and a router that chooses among them for each token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import EffautoError, Setting, same_hooks

from . import inner_of

if TYPE_CHECKING:
    from effauto import TaskModel

# (experts, outputs, inputs) and the matrix that they stand for -> their numbers
Draw = Callable[[tuple[int, int, int], Tensor], Tensor]


class Experts(nn.Module):
    """A matrix for each expert. Takes the rows of each, gives the results of all in one tensor."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)  # (experts, outputs, inputs)

    def forward(self, rows: Sequence[Tensor]) -> Tensor:
        return torch.cat([some @ matrix.T for some, matrix in zip(rows, self.weight, strict=True)])


class Routed(nn.Module):
    """Stands in for a gated inner layer: Σ over the chosen experts of their share · expert(x)."""

    def __init__(self, layer: Any, setting: Setting, draw: Draw, grown: float) -> None:
        super().__init__()
        width, experts = layer.down_proj.out_features, setting["experts"]
        inner = inner_of(layer.down_proj.in_features, setting["chosen"])
        self.chosen = setting["chosen"]
        self.act_fn = layer.act_fn
        self.gate_proj = _experts(layer.gate_proj, (experts, inner, width), draw)
        self.up_proj = _experts(layer.up_proj, (experts, inner, width), draw)
        self.down_proj = _experts(layer.down_proj, (experts, width, inner), draw)
        place = layer.down_proj.weight.device
        self.router = nn.Linear(width, experts, bias=False, device=place)
        nn.init.normal_(self.router.weight, std=0.02 / grown)
        self.balance: Tensor | None = None

    def forward(self, states: Tensor) -> Tensor:
        tokens = states.flatten(0, -2)
        shares, numbers = self._choose(tokens)
        order = numbers.flatten().argsort(stable=True)  # by expert
        counts = numbers.flatten().bincount(minlength=len(self.router.weight)).tolist()
        read = order // self.chosen
        rows = torch.split(tokens[read], counts)
        inner = self.act_fn(self.gate_proj(rows)) * self.up_proj(rows)
        found = self.down_proj(torch.split(inner, counts)) * shares.flatten()[order, None]
        found = found.to(tokens.dtype)  # lower under autocast
        return torch.zeros_like(tokens).index_add(0, read, found).view_as(states)

    def _choose(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(tokens, chosen): each one's share, and its number; notes how evenly they are chosen."""
        shares = self.router(tokens).softmax(dim=-1)
        best, numbers = shares.topk(self.chosen, dim=-1)
        self.balance = unevenness(shares, numbers) if self.training else None
        if self.chosen > 1:  # of several, as Mixtral; of one the share itself teaches the router
            best = best / best.sum(dim=-1, keepdim=True)
        return best, numbers


def unevenness(shares: Tensor, numbers: Tensor) -> Tensor:
    """n Σ f P, which is 1 if all are chosen alike (Fedus et al. 2022, equations 4 to 6)."""
    experts = shares.shape[-1]
    chosen = numbers.flatten().bincount(minlength=experts) / numbers.numel()
    return experts * (chosen * shares.mean(dim=0)).sum()


def route(model: TaskModel, setting: Setting, draw: Draw) -> TaskModel:
    """Put experts in the place of every gated inner layer, in place; EffautoError if there is none.

    A layer that is passed several times has its experts once.
    """
    places = [
        (owner, name, child)
        for owner in model.layers.modules()
        for name, child in owner.named_children()
        if hasattr(child, "gate_proj") and isinstance(child.down_proj, nn.Linear)
    ]
    if not places:
        raise EffautoError(
            f"mixture-of-experts needs gated inner layers, and {type(model.encoder).__name__} has "
            "none; leave it out of the recipe"
        )
    for owner, name, child in places:
        setattr(owner, name, Routed(child, setting, draw, model.grown))
    return model


def drawn_as(shape: tuple[int, int, int], old: Tensor) -> Tensor:
    """Random numbers that vary as those of the matrix did."""
    return torch.randn(shape).to(old.device) * old.detach().std()


def unfilled(shape: tuple[int, int, int], old: Tensor) -> Tensor:
    """Places for numbers that are to be loaded."""
    return torch.empty(shape, device=old.device)


def _experts(old: nn.Linear, shape: tuple[int, int, int], draw: Draw) -> nn.Module:
    return same_hooks(Experts(draw(shape, old.weight)), old)
