"""A body without layers: what stands where a transformer stood."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn


class WordTable(nn.Module):
    """One vector for each word piece; the marks that begin and end a text have that of zeros."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.words(input_ids))


def emptied(config: Any, dims: int) -> Any:
    """The config of a network of this width with one small layer, which no one will call.

    What is loaded is first built from it, and some families cannot be built without any.
    """
    config = deepcopy(config)
    config.num_hidden_layers = config.num_attention_heads = 1
    config.hidden_size = config.intermediate_size = dims
    if getattr(config, "num_key_value_heads", None):
        config.num_key_value_heads = 1
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:1]
    return config
