"""Attention divided by the size of a head, where standard practice divides by its root."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from effauto.errors import TransferError
from effauto.transfer.resize import HEADS, width_of

# Projections of a token to what asks: alone, or with keys and values in one matrix behind it.
_QUERIES, _TOGETHER = ("q_proj", "query", "q_lin", "q"), ("c_attn", "query_key_value")
_KEYS = ("k_proj", "key", "k_lin", "k")


def scale_attention(model: nn.Module, base: Any, tuned: float) -> float:
    """Set each attention's ``scaling`` to ``tuned`` · √(head of the base) / head; by what it grew.

    transformers' attention modules read it at each call, also those that call fused kernels. Raises
    TransferError for an attention that has none, if it would have to change.
    """
    config: Any = model.config
    factor = tuned * math.sqrt(head_size(base) / head_size(config))
    if factor == 1:
        return factor
    modules = _attentions(model)
    if not modules:
        raise TransferError(f"{type(model).__name__} has no attention whose scale can be set")
    for name, module in modules:
        if not isinstance(getattr(module, "scaling", None), float):
            raise TransferError(
                f"the attention {name} ({type(module).__name__}) has no scale that can be set: let "
                "heads grow in number instead of size, and keep the attention multiplier at 1"
            )
        attention: Any = module
        attention.scaling *= factor
    return factor


def write_into_queries(model: nn.Module, factor: float) -> None:
    """Undo :func:`scale_attention`, and multiply the queries instead."""
    for _, module in _attentions(model) if factor != 1 else ():
        attention: Any = module
        attention.scaling /= factor
        children = dict(module.named_children())
        projection: Any = next(c for name, c in children.items() if name in (*_QUERIES, *_TOGETHER))
        alone = any(name in children for name in _QUERIES)
        for numbers in (projection.weight, projection.bias):
            if numbers is not None:
                (numbers if alone else _first_third(numbers, projection)).mul_(factor)


def _first_third(numbers: Tensor, projection: nn.Module) -> Tensor:
    """Of what is kept together the queries: the first outputs, which Conv1D keeps in columns."""
    outputs = 0 if isinstance(projection, nn.Linear) or numbers.ndim == 1 else 1
    return numbers.chunk(3, dim=outputs)[0]


def head_size(config: Any) -> int:
    """The numbers that a head compares; 1 in a model without attention."""
    heads = next((int(getattr(config, name)) for name in HEADS if hasattr(config, name)), None)
    if heads is None:
        return 1
    return int(getattr(config, "head_dim", None) or width_of(config) // heads)


def _attentions(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that hold the projections of keys."""
    projections = {*_KEYS, *_TOGETHER}
    return [
        (name, module)
        for name, module in model.named_modules()
        if projections & {child for child, _ in module.named_children()}
    ]
