"""Scores that fall with distance, at a slope of each head's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import EffautoError, attend_by

if TYPE_CHECKING:
    from effauto import TaskModel


class NoRotation(nn.Module):
    """Stands where positions were made into angles, and gives none."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.head = head

    def forward(self, states: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        still = torch.ones(*position_ids.shape, self.head, dtype=states.dtype, device=states.device)
        return still, torch.zeros_like(still)


def slopes(heads: int) -> list[float]:
    """A geometric sequence from 2^(-8/n) on; for other than powers of 2 every other of twice it.

    Press et al. 2022, section 3, and their code for the latter.
    """
    power = 2 ** math.floor(math.log2(heads))
    found = [2 ** (-8 * place / power) for place in range(1, power + 1)]
    between = [2 ** (-4 * place / power) for place in range(1, 2 * power + 1, 2)]
    return found + between[: heads - power]


def biased(query: Tensor, key: Tensor, value: Tensor, met: Tensor) -> Tensor:
    """softmax(q k - slope · distance) v, over the tokens that are met."""
    places = torch.arange(query.shape[-2], device=query.device)
    distance = (places[:, None] - places).abs()
    slope = query.new_tensor(slopes(query.shape[1]))[:, None, None]
    bias = (-slope * distance).masked_fill(~met, torch.finfo(query.dtype).min)
    return nn.functional.scaled_dot_product_attention(query, key, value, bias, scale=1.0)


def by_distance(model: TaskModel) -> TaskModel:
    """Take positions away and let scores fall with distance, in place.

    Raises EffautoError for a body whose positions are not rotations.
    """
    encoder: Any = model.encoder
    if not hasattr(encoder, "rotary_emb"):
        raise EffautoError(
            f"alibi stands in for rotary positions, and {type(encoder).__name__} has others; "
            "leave it out of the recipe"
        )
    config = model.config
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    encoder.rotary_emb = NoRotation(int(head))
    return attend_by(model, biased)
