"""Layers whose weights are seen through masks, by scores that are learned or by magnitude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers.pytorch_utils import Conv1D  # GPT-2's layer

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

ROUNDING = 0.01


class Masked(nn.Module):
    """A layer that hides all but the weights of the highest scores, and nothing at first.

    Only the order of the scores counts, so they may be ``learned`` at the weights' rate; if they
    are not, they are the weights' magnitudes.
    """

    mask: Tensor

    def __init__(self, layer: nn.Linear | Conv1D, learned: bool = True) -> None:
        super().__init__()
        self.layer = layer
        self.scores = nn.Parameter(torch.zeros_like(layer.weight)) if learned else None
        self.register_buffer("mask", torch.ones_like(layer.weight, dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(functional_call(self.layer, {"weight": self.shown()}, (x,)))

    def shown(self) -> Tensor:
        """W' = W ⊙ M; scores get ∂L/∂W' ⊙ W as if M were they (Sanh et al. 2020, equation 4)."""
        weight = self.layer.weight
        shown = weight * self.mask
        if self.scores is None or not torch.is_grad_enabled():
            return shown
        nothing = self.scores - self.scores.detach()  # but for its gradient
        return shown + weight.detach() * nothing

    def keep(self, share: float) -> None:
        """Show this share of the weights from now on."""
        scores = self.layer.weight.abs() if self.scores is None else self.scores
        kept = round(share * scores.numel())
        best = scores.detach().flatten().topk(kept, sorted=False).indices
        self.mask.zero_().view(-1)[best] = True


def add_masks(model: TaskModel, learned: bool) -> TaskModel:
    """Mask the matrices of the layers; biases, norms, embeddings and the head are left alone."""
    for owner, name, layer in list(_children(model)):
        if isinstance(layer, nn.Linear | Conv1D):
            setattr(owner, name, Masked(layer, learned))
    return model


def masks(model: TaskModel) -> Iterator[Masked]:
    return (module for module in model.layers.modules() if isinstance(module, Masked))


def set_zeros(model: TaskModel, sparsity: float) -> TaskModel:
    """Write the zeros into the weights, and put the plain layers back.

    Raises EffautoError if the training did not hide them all: they would go unlearned.
    """
    for owner, name, layer in list(_children(model)):
        if isinstance(layer, Masked):
            if layer.mask.float().mean() > 1.0 - sparsity + ROUNDING:
                raise EffautoError(
                    "movement-pruning was not trained to its end, and its weights have not been "
                    "chosen; leave out what ends the training early or replaces it"
                )
            layer.keep(1.0 - sparsity)
            with torch.no_grad():
                layer.layer.weight.copy_(layer.shown())
            setattr(owner, name, layer.layer)
    return model


def _children(model: TaskModel) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for owner in model.layers.modules():
        for name, child in owner.named_children():
            yield owner, name, child
