"""1.5-entmax in the place of softmax."""

from __future__ import annotations

import torch
from entmax import entmax15
from torch import Tensor


def sparsely(query: Tensor, key: Tensor, value: Tensor, met: Tensor) -> Tensor:
    """entmax(q k) v, over the tokens that are met; it needs a number below all, not -∞."""
    scores = query @ key.transpose(-1, -2)
    lowest = torch.finfo(scores.dtype).min / 8.0
    weights: Tensor = entmax15(scores.masked_fill(~met, lowest), dim=-1)
    return weights @ value
