"""Keys and values before those of the words, by way of transformers' attention interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import eager_mask

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

PREFIXED, NOTED = "prefixed", "noted"
KeysValues = tuple[Tensor, Tensor]


class Prefix(nn.Module):
    """``keys`` and ``values``, each (heads, length, width of a head)."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = nn.Parameter(keys), nn.Parameter(values)

    def forward(self, keys: Tensor, values: Tensor) -> KeysValues:
        """Join with those of the words, (rows, heads, tokens, width)."""
        return _joined(self.keys, keys), _joined(self.values, values)


def _joined(prefix: Tensor, states: Tensor) -> Tensor:
    return torch.cat([prefix.to(states.dtype).expand(len(states), -1, -1, -1), states], dim=2)


def add_prefixes(model: TaskModel, length: int, seed: int = 0) -> TaskModel:
    """Give each attention a prefix, which starts as the keys and values of random word pieces.

    Raises EffautoError if the body computes attention in its own way.
    """
    chance = torch.Generator().manual_seed(seed)
    numbers = torch.randint(int(model.config.vocab_size), (1, length), generator=chance)
    found = _keys_and_values(model, numbers)
    if not found:
        raise EffautoError(
            f"prefix-tuning cannot reach the attention of {type(model.encoder).__name__}; "
            "adapt it by a method that changes its weights"
        )
    for attention, (keys, values) in found.items():
        attention.add_module("prefix", Prefix(keys[0].contiguous(), values[0].contiguous()))
    model.config._attn_implementation = PREFIXED
    return model


@torch.no_grad()
def _keys_and_values(model: TaskModel, numbers: Tensor) -> dict[nn.Module, KeysValues]:
    """What each attention of the body makes of one row of word pieces."""
    found: dict[nn.Module, KeysValues] = {}

    def note(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Any, **given: Any
    ) -> Any:
        found[module] = key, value
        return sdpa_attention_forward(module, query, key, value, mask, **given)

    AttentionInterface.register(NOTED, note)
    before, training = model.config._attn_implementation, model.training
    model.config._attn_implementation = NOTED
    numbers = numbers.to(next(model.parameters()).device)
    model.eval().encoder(input_ids=numbers, attention_mask=torch.ones_like(numbers))
    model.train(training).config._attn_implementation = before
    return found


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **given: Any,
) -> Any:
    """Scaled dot-product attention over the prefix and the words."""
    length = module.prefix.keys.shape[1]
    key, value = module.prefix(key, value)
    if attention_mask is not None:  # it is added to the scores
        attention_mask = nn.functional.pad(attention_mask, (length, 0))
    return sdpa_attention_forward(module, query, key, value, attention_mask, **given)


def _mask(**given: Any) -> Any:
    """Always a mask: without one a causal model would take the prefix for the first words."""
    return eager_mask(**given | {"allow_is_bidirectional_skip": False})


AttentionInterface.register(PREFIXED, _attend)
for _name in (PREFIXED, NOTED):
    AttentionMaskInterface.register(_name, _mask)
