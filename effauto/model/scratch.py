"""Models that are not trained yet: a config of any size, and the tokenizer of the text."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effauto.errors import ModelError, OutputError
from effauto.hardware.cache import cache_folder
from effauto.traits import MASK

# Models that were made are named by their size and, behind the sign, their tokenizer.
_NAME = re.compile(r"(?P<size>(llama|eurobert)-\d+x\d+)@(?P<tokenizer>[0-9a-f]{8})")
# Settings are found at this size and scaled from it (effauto.transfer): heads grow in number.
BASE_WIDTH, BASE_LAYERS, HEAD = 64, 2, 32
PADDING_NUMBER, MASK_NUMBER = 1, 2
BASE = "effauto_base"
# The inner layer of a gated network, in widths.
INNER = 3


@dataclass(frozen=True)
class Size:
    """So many numbers wide, and so many layers deep."""

    width: int
    layers: int


# Each about twice as large as the one before, as deep as is usual for its width.
SIZES = tuple(
    Size(*size)
    for size in (
        (64, 2), (96, 3), (128, 4), (192, 4), (256, 5), (384, 6), (512, 8), (768, 10), (1024, 16)
    )
)  # fmt: skip


def make_models(tokenizer: str, positions: int, sizes: Iterable[Size] = SIZES) -> dict[str, Size]:
    """Write a folder for each size into the cache; return the names that ``find_model`` takes.

    A tokenizer that can hide pieces is for encoders, any other for decoders. Raises OutputError if
    one cannot be written.
    """
    digest = hashlib.sha256(tokenizer.encode()).hexdigest()[:8]
    family = "eurobert" if MASK in _pieces(tokenizer) else "llama"
    found = {f"{family}-{size.width}x{size.layers}@{digest}": size for size in sizes}
    for name, size in found.items():
        if not (_folder(name) / "tokenizer.json").is_file():
            write_untrained(_folder(name), size, tokenizer, positions)
    return found


def names_untrained(name: str) -> bool:
    """Whether this is the name of a model that was made here."""
    return _NAME.fullmatch(name) is not None


def untrained_folder(name: str) -> Path:
    """Where the model of this name is kept; ModelError if it is not there."""
    folder = _folder(name)
    if not folder.is_dir():
        raise ModelError(f"{name} was not made on this machine: plan again for the same text")
    return folder


def llama_config(size: Size, vocabulary: int, positions: int) -> dict[str, Any]:
    """As transformers reads it; beside it the size that settings are scaled from."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.width // HEAD,
        "num_key_value_heads": size.width // HEAD,
        "head_dim": HEAD,
        "intermediate_size": INNER * size.width,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": PADDING_NUMBER,
        "tie_word_embeddings": False,
        BASE: {"width": BASE_WIDTH, "layers": BASE_LAYERS},
    }


def encoder_config(size: Size, vocabulary: int, positions: int) -> dict[str, Any]:
    """The same network reading both ways (EuroBERT, Boizard et al. 2025, arXiv:2503.05500).

    Its places are rotations, as the Llama's, so that methods and settings serve both.
    """
    return llama_config(size, vocabulary, positions) | {
        "architectures": ["EuroBertForMaskedLM"],
        "model_type": "eurobert",
        "mask_token_id": MASK_NUMBER,
    }


def is_untrained(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether the folder holds a config to train from, and no weights."""
    return BASE in config and not any(folder.glob("*.safetensors"))


def _folder(name: str) -> Path:
    size, _, tokenizer = name.partition("@")
    return cache_folder() / "scratch" / tokenizer / size


def write_untrained(folder: Path, size: Size, tokenizer: str, positions: int) -> None:
    """Write a config and a tokenizer, from which a model can be trained; OutputError if not."""
    pieces = _pieces(tokenizer)
    config = (encoder_config if MASK in pieces else llama_config)(size, len(pieces), positions)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _at_once(folder / "config.json", json.dumps(config, indent=2))
        _at_once(folder / "tokenizer.json", tokenizer)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _pieces(tokenizer: str) -> dict[str, int]:
    return dict(json.loads(tokenizer)["model"]["vocab"])


def _at_once(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
