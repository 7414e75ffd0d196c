"""How much each neuron of an inner layer matters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from effauto import gate_gradients

from .inner import Inner, matrix

if TYPE_CHECKING:
    from effauto import Context, TaskModel


def magnitudes(inner: Inner) -> Tensor:
    """(neurons,): the norm of the weights out of each neuron times those of the weights into it."""
    score: Tensor = torch.linalg.vector_norm(matrix(inner.down).detach(), dim=0)
    for up in inner.ups:
        score = score * torch.linalg.vector_norm(matrix(up).detach(), dim=1)
    return score


def sensitivities(
    model: TaskModel, found: Sequence[Inner], context: Context, rows: int
) -> list[Tensor]:
    """For each inner layer, (neurons,): E |Σ a · ∂L/∂a|, the sum over a row's tokens.

    It is by how much, to first order, a row's loss would change without the neuron, whose number
    is a (Molchanov et al. 2017, equation 7): the gradient of a gate on it.
    """
    gates = [(inner.down, inner.width) for inner in found]
    return gate_gradients(model, gates, context, rows, "judging neurons")
