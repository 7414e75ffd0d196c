"""φ(q) · Σ φ(k) v, over the tokens before, divided by φ(q) · Σ φ(k)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import elu, pad

from . import CHUNK


def carried(query: Tensor, key: Tensor, value: Tensor, met: Tensor) -> Tensor:
    """Katharopoulos et al. 2020, equations 9 to 12, with φ(x) = elu(x) + 1, chunk by chunk.

    Within a chunk pairs are computed; of those before it a sum is carried. A token that the last
    one does not meet is padding, whose keys count as zero.
    """
    tokens = query.shape[-2]
    chunk = min(CHUNK, tokens)
    missing = -tokens % chunk
    there = met[:, :, -1:].transpose(-1, -2)  # the last token meets all that are not padding
    features = [elu(query) + 1.0, (elu(key) + 1.0) * there, value * there]
    q, k, v = (
        pad(part, (0, 0, 0, missing)).view(*part.shape[:2], -1, chunk, part.shape[-1])
        for part in features
    )
    scores = (q @ k.transpose(-1, -2)).tril()
    before = (k.transpose(-1, -2) @ v).cumsum(dim=2)
    keys = k.sum(dim=-2).cumsum(dim=2)
    summed = scores @ v + q @ _shifted(before)
    weight = scores.sum(dim=-1) + (q @ _shifted(keys).unsqueeze(-1)).squeeze(-1)
    found = summed / weight.clamp(min=1e-6).unsqueeze(-1)
    return torch.as_tensor(found.flatten(2, 3)[:, :, :tokens])


def _shifted(sums: Tensor) -> Tensor:
    """What was summed up to the chunk before."""
    return torch.cat([torch.zeros_like(sums[:, :, :1]), sums[:, :, :-1]], dim=2)
