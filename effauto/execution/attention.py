"""Attention computed otherwise, in every layer of a body that transformers built."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto.errors import EffautoError

if TYPE_CHECKING:
    from effauto.model.transformer import TaskModel

# (queries, keys, values, met) -> results, all (batch, heads, tokens, head size); queries are scaled
# already, and met, (batch or 1, 1, tokens, tokens), is True where a token may read another.
Attend = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
_NAME = "effauto"


def attend_by(model: TaskModel, attend: Attend) -> TaskModel:
    """Let every layer of the body attend by this function, in place; return the model.

    Raises EffautoError for a body whose layers do not let their attention be chosen.
    """
    from transformers import AttentionInterface

    modules = attentions(model)
    if not modules:
        raise EffautoError(
            f"the layers of {type(model.encoder).__name__} have no attention that could be "
            "computed otherwise; leave the method that does so out of the recipe"
        )
    AttentionInterface.register(_NAME, _attended)
    for module in modules:
        module.attend = attend
        module.config = copy(module.config)  # the body's own still decides how masks are made
        module.config._attn_implementation = _NAME
    model.config.use_cache = False
    return model


def attentions(model: TaskModel) -> list[Any]:
    """The modules that project to queries, keys and values, and attend as their config says."""
    return [
        module
        for module in model.layers.modules()
        if hasattr(module, "num_key_value_groups") and hasattr(module, "config")
    ]


def _attended(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    **_: Any,
) -> tuple[Tensor, None]:
    """As transformers calls it; keys and values of fewer heads are repeated."""
    key = key.repeat_interleave(module.num_key_value_groups, dim=1)
    value = value.repeat_interleave(module.num_key_value_groups, dim=1)
    met = _met(attention_mask, query)
    return module.attend(query * scaling, key, value, met).transpose(1, 2).contiguous(), None


def _met(mask: Tensor | None, query: Tensor) -> Tensor:
    """What transformers leaves away if nothing is padded, a bool, or what is added to scores."""
    if mask is None:
        tokens = query.shape[-2]
        every = torch.ones(1, 1, tokens, tokens, dtype=torch.bool, device=query.device)
        return every.tril()
    return mask if mask.dtype == torch.bool else mask == 0


def same_hooks(new: nn.Module, old: nn.Module) -> nn.Module:
    """Let ``new`` stand in for ``old``: what was hooked to the old one is to the new one."""
    new._forward_hooks = old._forward_hooks
    new._forward_pre_hooks = old._forward_pre_hooks
    return new
