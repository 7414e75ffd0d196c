"""How much the loss feels each attention head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from effauto import gate_gradients

from .attention import Attention

if TYPE_CHECKING:
    from effauto import Context, TaskModel


def importance(
    model: TaskModel, found: Sequence[Attention], context: Context, rows: int
) -> list[Tensor]:
    """For each attention, (heads,): E |∂L/∂ξ|, ξ being a gate on the head's output, open at 1.

    Michel et al. 2019, equation 2. Before training the head of the model is random, so what is
    felt is how far the features that it will read would move.
    """
    gates = [(attention.output, attention.heads) for attention in found]
    return gate_gradients(model, gates, context, rows, "judging heads")
