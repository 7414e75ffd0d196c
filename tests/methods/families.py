"""Tiny untrained models of families whose layers are built differently."""

from __future__ import annotations

import torch
import transformers

from effauto import TaskModel

USUAL = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
OWN = {
    "DistilBert": {"dim": 32, "n_heads": 4, "hidden_dim": 64},
    "GPT2": {"n_embd": 32, "n_head": 4, "n_inner": 64},
    "OPT": {
        "hidden_size": 32,
        "num_attention_heads": 4,
        "ffn_dim": 64,
        "word_embed_proj_dim": 32,
    },
}
LAYERS = {"DistilBert": "n_layers", "GPT2": "n_layer"}


def tiny(family: str, *, layers: int = 1, **more: int) -> TaskModel:
    """32 wide, four heads, 64 inside, with a head for three classes; always the same numbers."""
    widths = OWN.get(family, USUAL) | {LAYERS.get(family, "num_hidden_layers"): layers}
    config = getattr(transformers, f"{family}Config")(
        vocab_size=100, pad_token_id=0, **widths, **more
    )
    torch.manual_seed(0)
    body = getattr(transformers, f"{family}Model")(config)
    return TaskModel(body, "text-classification", 3)
