"""How many numbers a model's files hold, and how many bytes beside them, without loading any."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from effauto.errors import ModelError

_LAYER = re.compile(r"\.(\d+)\.")
_HEADS = ("pooler", "cls.", "lm_head", "classifier", "head.")
_TENSORS_A_LAYER, _LLAMA_TENSORS, _ENTRY_BYTES = 16, 9, 110


@dataclass(frozen=True)
class Counts:
    """``outside`` the layers and in one ``layer``; of these ``vectors`` stand in no matrix.

    ``rows`` are the outputs of a layer's matrices together; ``header_bytes`` name the tensors.
    """

    outside: int
    layer: int
    vectors: int
    rows: int
    header_bytes: int


def count_numbers(folder: Path, layers: int) -> Counts | None:
    """Count from the headers of the safetensors files; None if there are none."""
    outside = inside = vectors = rows = 0
    files = sorted(folder.glob("*.safetensors"))
    headers = [_header(path) for path in files]
    for tensor, shape in _shapes(headers):
        count = math.prod(shape)
        if not _LAYER.search(tensor):
            outside += 0 if tensor.startswith(_HEADS) else count
            continue
        inside += count
        if len(shape) == 1:
            vectors += count
        else:
            rows += _outputs(tensor, shape)
    if not inside:
        return None
    size = sum(len(json.dumps(header, separators=(",", ":"))) for header in headers)
    return Counts(outside, inside // layers, vectors // layers, rows // layers, size)


def _shapes(headers: list[dict[str, Any]]) -> Iterator[tuple[str, list[int]]]:
    for header in headers:
        for tensor, entry in header.items():
            if tensor != "__metadata__" and entry["dtype"].startswith(("F", "BF")):
                yield tensor, entry["shape"]


def _outputs(tensor: str, shape: list[int]) -> int:
    """Rows of a matrix; GPT-2's (c_attn, c_fc, c_proj) are kept the other way round."""
    return shape[-1] if re.search(r"\.c_(attn|fc|proj)\.", tensor) else shape[0]


def _header(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, 2**27)))
    except (OSError, ValueError, struct.error) as error:
        raise ModelError(f"{path} is no whole safetensors file: {error}") from error
    return header


def counts_by_formula(shape: Mapping[str, Any]) -> Counts:
    """Those of a BERT of this shape."""
    width, inner = int(shape["width"]), int(shape["feedforward"])
    outside = (int(shape["vocabulary"]) + int(shape["max_tokens"]) + 4) * width
    rows = 5 * width + inner
    vectors = rows + 4 * width
    matrices = 4 * width * width + 2 * width * inner
    header = int(shape["layers"]) * _TENSORS_A_LAYER * _ENTRY_BYTES
    return Counts(outside, matrices + vectors, vectors, rows, header)


def llama_counts(shape: Mapping[str, Any]) -> Counts:
    """Those of a Llama of this shape whose keys have as many heads as its queries: no biases."""
    width, inner = int(shape["width"]), int(shape["feedforward"])
    outside = int(shape["vocabulary"]) * width + width
    rows = 5 * width + 2 * inner
    matrices = 4 * width * width + 3 * width * inner
    header = int(shape["layers"]) * _LLAMA_TENSORS * _ENTRY_BYTES
    return Counts(outside, matrices + 2 * width, 2 * width, rows, header)


def tokenizer_bytes(folder: Path) -> int:
    """Bytes of ``tokenizer.json`` as the tokenizers library writes it: indented; 0 if not there."""
    try:
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return len(json.dumps(tokenizer, indent=2, ensure_ascii=False).encode())
