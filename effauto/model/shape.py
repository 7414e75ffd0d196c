"""The shape of a transformer, read from its config and the header of its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from effauto.errors import ModelError
from effauto.lengths import PAD_TO
from effauto.model.numbers import (
    count_numbers,
    counts_by_formula,
    llama_counts,
    tokenizer_bytes,
)
from effauto.model.scratch import is_untrained
from effauto.traits import FROM_SCRATCH, ModelTraits

# What transformers' configs call the same thing.
_KEYS = {
    "width": ("hidden_size", "d_model", "n_embd", "dim"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "feedforward": ("intermediate_size", "ffn_dim", "n_inner", "hidden_dim", "d_ff"),
    "vocabulary": ("vocab_size",),
    "max_tokens": ("max_position_embeddings", "n_positions"),
}
_DROPOUT = ("hidden_dropout_prob", "dropout", "resid_pdrop", "hidden_dropout")
# Where a layer drops out, beside its attention's scores: after either of its parts, but for these.
_DROPOUTS = {"distilbert": 1}
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
_DECODERS = re.compile(r"CausalLM|LMHead|gpt|llama|mistral|qwen|opt|phi|gemma", re.IGNORECASE)
_COUNTED_FROM_PADDING = re.compile(
    r"(xlm-|xlm_)?roberta|camembert|mpnet|longformer|ibert|data2vec-text|xmod"
)
_FACTS = frozenset(
    {
        "transformer",
        "pretrained",
        "gradient_training",
        "float_weights",
        "dense_weights",
        "eager_module",
    }
)


def transformer_traits(name: str, folder: Path, config: Mapping[str, Any]) -> ModelTraits:
    """Read the traits of the model in ``folder``; raise ModelError if its shape is not stated."""
    shape = {trait: _first(config, keys) for trait, keys in _KEYS.items()}
    shape["feedforward"] = shape["feedforward"] or 4 * (shape["width"] or 0)
    missing = [trait for trait, value in shape.items() if not value]
    if missing:
        raise ModelError(f"the config of {name} does not state its {', '.join(missing)}")
    layers, width, heads = int(shape["layers"]), int(shape["width"]), int(shape["heads"])
    feedforward = int(shape["feedforward"])
    untrained = is_untrained(folder, config)
    formula = llama_counts if untrained else counts_by_formula
    counts = count_numbers(folder, layers) or formula(shape)
    head = int(config.get("head_dim") or width // heads)
    keys = head * int(config.get("num_key_value_heads") or heads)
    attention = head * heads
    return ModelTraits(
        name=name,
        family="transformer",
        layers=layers,
        width=width,
        feedforward=feedforward,
        heads=heads,
        vocabulary=int(shape["vocabulary"]),
        max_tokens=paddable(
            _longest_input(folder, usable_positions(config, int(shape["max_tokens"])))
        ),
        embedding_parameters=counts.outside,
        layer_parameters=counts.layer,
        facts=_facts(config, untrained),
        layer_vectors=counts.vectors,
        layer_rows=counts.rows,
        attention_width=attention,
        key_width=keys,
        # queries, keys, values, output, and the inner layer there and back, or a gate beside it
        gated=counts.rows >= attention + 2 * keys + 2 * width + 2 * feedforward,
        dropout=_stated(config, _DROPOUT),
        attention_dropout=_stated(config, _ATTENTION_DROPOUT),
        dropouts=_DROPOUTS.get(str(config.get("model_type")), 2),
        folder_bytes=counts.header_bytes + tokenizer_bytes(folder),
    )


def _facts(config: Mapping[str, Any], untrained: bool) -> frozenset[str]:
    direction = {"decoder" if _is_decoder(config) else "encoder"}
    return (_FACTS - {"pretrained"} | {FROM_SCRATCH} if untrained else _FACTS) | direction


def _stated(config: Mapping[str, Any], keys: tuple[str, ...]) -> float:
    """The first of these that the config states; what none states is not done."""
    return float(next((config[key] for key in keys if config.get(key) is not None), 0.0))


def _first(config: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((config[key] for key in keys if config.get(key)), None)


def _is_decoder(config: Mapping[str, Any]) -> bool:
    described = [*config.get("architectures", ()), str(config.get("model_type", ""))]
    return any(_DECODERS.search(word) for word in described)


def usable_positions(config: Mapping[str, Any], positions: int) -> int:
    """RoBERTa and its kin count places from behind that of the padding: of 514 they use 512."""
    if not _COUNTED_FROM_PADDING.match(str(config.get("model_type", ""))):
        return positions
    padding = config.get("pad_token_id")
    return positions - (1 if padding is None else int(padding)) - 1


def paddable(tokens: int) -> int:
    """The longest input of at most so many word pieces whose batch, once padded, still fits."""
    return tokens // PAD_TO * PAD_TO


def _longest_input(folder: Path, positions: int) -> int:
    """A sentence-transformers folder may state a shorter input than the model has positions."""
    try:
        stated = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        return min(positions, int(stated["max_seq_length"]))
    except (OSError, ValueError, KeyError, TypeError):
        return positions
