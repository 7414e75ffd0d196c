"""Attention in blocks: exact, and linear in the length of the text."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention


def seen(tokens: int, window: int, everywhere: int, device: torch.device) -> Tensor:
    """(tokens, tokens): the token itself, those within the window before it, and the first ones."""
    places = torch.arange(tokens, device=device)
    distance = places[:, None] - places
    return (distance >= 0) & ((distance < window) | (places < everywhere))


def windowed(
    query: Tensor, key: Tensor, value: Tensor, met: Tensor, *, window: int, everywhere: int
) -> Tensor:
    """softmax(q k) v over what is met and seen, without computing the other scores.

    A block of ``window`` queries has its keys in the block itself and the one before.
    """
    tokens = query.shape[-2]
    if tokens <= 2 * window + everywhere:  # every key is in reach of some block
        allowed = met & seen(tokens, window, everywhere, query.device)
        return scaled_dot_product_attention(query, key, value, allowed, scale=1.0)
    missing = -tokens % window
    blocks = pad(query, (0, 0, 0, missing))
    blocks = blocks.view(*query.shape[:2], -1, window, query.shape[-1])
    places = _places(blocks.shape[2], window, everywhere, query.device)
    inside = (places >= 0) & (places < tokens)
    at = places.clamp(0, tokens - 1)
    allowed = _allowed(met, at, inside, window, everywhere)
    found = scaled_dot_product_attention(blocks, key[:, :, at], value[:, :, at], allowed, scale=1.0)
    return found.flatten(2, 3)[:, :, :tokens]


def _places(blocks: int, window: int, everywhere: int, device: torch.device) -> Tensor:
    """(blocks, keys): where each block's keys stand; first ones that are near stand once."""
    start = window * torch.arange(blocks, device=device)[:, None]
    near = start - window + torch.arange(2 * window, device=device)
    first = torch.arange(everywhere, device=device).expand(blocks, -1)
    return torch.cat([torch.where(first < start - window, first, -1), near], dim=1)


def _allowed(met: Tensor, at: Tensor, inside: Tensor, window: int, everywhere: int) -> Tensor:
    """(batch or 1, 1, blocks, window, keys): which of a block's keys each query may read.

    Queries behind the end read something, so that nothing is divided by zero.
    """
    blocks, tokens = len(at), met.shape[-1]
    rows = torch.arange(blocks * window, device=met.device).view(blocks, window)
    asked = rows.clamp(max=tokens - 1)
    distance = rows[:, :, None] - at[:, None]
    near = (distance >= 0) & ((distance < window) | (at < everywhere)[:, None])
    allowed = met[:, :, asked[:, :, None], at[:, None]] & near & inside[:, None]
    return allowed | (rows >= tokens)[:, :, None]
