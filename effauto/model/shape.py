"""The shape of a transformer, read from its config and the header of its weights."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from effauto.errors import ModelError
from effauto.traits import ModelTraits

# What transformers' configs call the same thing.
_KEYS = {
    "width": ("hidden_size", "d_model", "n_embd", "dim"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "feedforward": ("intermediate_size", "ffn_dim", "n_inner", "hidden_dim", "d_ff"),
    "vocabulary": ("vocab_size",),
    "max_tokens": ("max_position_embeddings", "n_positions"),
}
_DECODERS = re.compile(r"CausalLM|LMHead|gpt|llama|mistral|qwen|opt|phi|gemma", re.IGNORECASE)
_LAYER = re.compile(r"\.(\d+)\.")


def transformer_traits(name: str, folder: Path, config: Mapping[str, Any]) -> ModelTraits:
    """Read the traits of the model in ``folder``; raise ModelError if its shape is not stated."""
    shape = {trait: _first(config, keys) for trait, keys in _KEYS.items()}
    shape["feedforward"] = shape["feedforward"] or 4 * (shape["width"] or 0)
    missing = [trait for trait, value in shape.items() if not value]
    if missing:
        raise ModelError(f"the config of {name} does not state its {', '.join(missing)}")
    layers = int(shape["layers"])
    embedding, layer = _counts(folder, layers) or _counts_by_formula(shape)
    kind = "decoder" if _is_decoder(config) else "encoder"
    facts = {
        "transformer",
        "pretrained",
        kind,
        "gradient_training",
        "float_weights",
        "dense_weights",
        "eager_module",
    }
    return ModelTraits(
        name=name,
        family="transformer",
        layers=layers,
        width=int(shape["width"]),
        feedforward=int(shape["feedforward"]),
        heads=int(shape["heads"]),
        vocabulary=int(shape["vocabulary"]),
        max_tokens=_longest_input(folder, int(shape["max_tokens"])),
        embedding_parameters=embedding,
        layer_parameters=layer,
        facts=frozenset(facts),
    )


def _first(config: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((config[key] for key in keys if config.get(key)), None)


def _is_decoder(config: Mapping[str, Any]) -> bool:
    described = [*config.get("architectures", ()), str(config.get("model_type", ""))]
    return any(_DECODERS.search(word) for word in described)


def _longest_input(folder: Path, positions: int) -> int:
    """A sentence-transformers folder may state a shorter input than the model has positions."""
    try:
        stated = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        return min(positions, int(stated["max_seq_length"]))
    except (OSError, ValueError, KeyError, TypeError):
        return positions


def _counts(folder: Path, layers: int) -> tuple[int, int] | None:
    """Parameters outside the layers and in one layer, from the headers of safetensors files."""
    outside = inside = 0
    files = sorted(folder.glob("*.safetensors"))
    for path in files:
        for tensor, entry in _header(path).items():
            if tensor == "__metadata__" or not entry["dtype"].startswith(("F", "BF")):
                continue
            count = math.prod(entry["shape"])
            if _LAYER.search(tensor):
                inside += count
            elif not tensor.startswith(("pooler", "cls.", "lm_head", "classifier", "head.")):
                outside += count
    return (outside, inside // layers) if inside else None


def _header(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, 2**27)))
    except (OSError, ValueError, struct.error) as error:
        raise ModelError(f"{path} is no whole safetensors file: {error}") from error
    return header


def _counts_by_formula(shape: Mapping[str, Any]) -> tuple[int, int]:
    width, inner = int(shape["width"]), int(shape["feedforward"])
    embedding = (int(shape["vocabulary"]) + int(shape["max_tokens"]) + 4) * width
    return embedding, 4 * width * (width + 1) + 2 * width * inner + inner + 5 * width
