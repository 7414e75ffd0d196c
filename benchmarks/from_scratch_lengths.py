"""How long one attention takes, forward and backward, by the length of the text."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from effauto.bundled.alibi.bias import biased
from effauto.bundled.linear_attention.carried import carried
from effauto.bundled.local_attention.window import windowed
from effauto.bundled.state_space.filters import Filter
from torch import Tensor, nn

HEADS, HEAD = 4, 32
STATES = 16
Kind = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def softmax(query: Tensor, key: Tensor, value: Tensor, met: Tensor) -> Tensor:
    """What transformers calls where nothing is padded."""
    return nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def kinds() -> dict[str, Kind]:
    """Attention by name, at the defaults of the methods."""
    found: dict[str, Kind] = {
        "softmax": softmax,
        "alibi": biased,
        "local-attention": partial(windowed, window=32, everywhere=4),
        "linear-attention": carried,
        "state-space": _filtered(Filter(HEADS * HEAD, STATES)),
    }
    try:
        from effauto.bundled.entmax_attention.sparse import sparsely
    except ImportError:
        return found
    return found | {"entmax-attention": sparsely}


def _filtered(layer: Any) -> Kind:
    return lambda query, key, value, met: layer(value.transpose(1, 2).flatten(2))


def seconds(attention: Kind, tokens: int, repeats: int) -> float:
    """The least processor seconds of so many repeats on one row, on one thread, after one more."""
    torch.set_num_threads(1)
    query, key, value = (torch.randn(1, HEADS, tokens, HEAD, requires_grad=True) for _ in range(3))
    met = torch.ones(1, 1, tokens, tokens, dtype=torch.bool).tril()
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        attention(query, key, value, met).sum().backward()  # type: ignore[no-untyped-call]
        taken.append(time.process_time() - start)
    return min(taken[1:])
