"""The rows of a word table that stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

# What configs call the numbers of special word pieces.
SPECIAL = ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id")


def keep_rows(model: TaskModel, kept: Sequence[int]) -> TaskModel:
    """Cut the word table to these rows, in this order, and say so in the config.

    Raises EffautoError if the table is not a plain one, or has no row for one of them.
    """
    encoder: Any = model.encoder
    words = encoder.get_input_embeddings()
    if not isinstance(words, nn.Embedding) or kept[-1] >= words.num_embeddings:
        raise EffautoError(
            "vocabulary-trim needs a table with a row for each word piece, which "
            f"{type(encoder).__name__} does not have; leave it out of the recipe"
        )
    places = {old: new for new, old in enumerate(kept)}
    rows = words.weight.detach()[torch.tensor(kept, device=words.weight.device)]
    padding = places.get(words.padding_idx) if words.padding_idx is not None else None
    table = nn.Embedding(len(kept), rows.shape[1], padding_idx=padding, _weight=rows)
    encoder.set_input_embeddings(table)
    model.config.vocab_size = len(kept)
    for name in SPECIAL:
        number = getattr(model.config, name, None)
        if isinstance(number, int):
            setattr(model.config, name, places.get(number))
    return model
