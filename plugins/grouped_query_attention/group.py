"""Keys and values of fewer heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from effauto import attentions

if TYPE_CHECKING:
    from effauto import TaskModel


def group_keys(model: TaskModel, group: int) -> TaskModel:
    """Keep the key and the value of the first head of each group, in place.

    They are random numbers still; a mean of several would begin smaller than they should.
    """
    for attention in attentions(model):
        head = attention.head_dim
        for projection in (attention.k_proj, attention.v_proj):
            _keep_first(projection, group, head)
        attention.num_key_value_groups = group
    model.config.num_key_value_heads = model.config.num_attention_heads // group
    return model


def _keep_first(projection: nn.Linear, group: int, head: int) -> None:
    projection.weight = _first(projection.weight, group, head)
    if projection.bias is not None:
        projection.bias = _first(projection.bias, group, head)
    projection.out_features = len(projection.weight)


def _first(numbers: Any, group: int, head: int) -> nn.Parameter:
    kept: Tensor = numbers.detach().unflatten(0, (-1, group, head))[:, 0].flatten(0, 1)
    return nn.Parameter(kept.clone())
