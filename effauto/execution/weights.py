"""Tensors on disk, as safetensors; those with many zeros as a bit mask and the other values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from effauto.errors import ModelError

_PACKED = "effauto_packed"
_SMALLEST = 1024


def write_tensors(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write ``state``; packing is lossless, and only done where it makes a tensor smaller."""
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    shapes: dict[str, list[int]] = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        kept = tensor[tensor != 0] if tensor.numel() >= _SMALLEST else tensor.flatten()
        packed_bytes = kept.numel() * tensor.element_size() + tensor.numel() / 8
        if tensor.numel() >= _SMALLEST and packed_bytes < tensor.numel() * tensor.element_size():
            bits = np.packbits((tensor != 0).flatten().numpy())
            tensors[f"{name}.nonzero"] = torch.from_numpy(bits)
            tensors[f"{name}.values"] = kept
            shapes[name] = list(tensor.shape)
        else:
            tensors[name] = tensor.clone()
    metadata = {"format": "pt"} | ({_PACKED: json.dumps(shapes)} if shapes else {})
    save_file(tensors, path, metadata=metadata)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Undo :func:`write_tensors`; raise ModelError if the file is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            shapes = json.loads((file.metadata() or {}).get(_PACKED, "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as safetensors: {error}") from error
    for name, shape in shapes.items():
        values = state.pop(f"{name}.values")
        bits = state.pop(f"{name}.nonzero").numpy()
        nonzero = torch.from_numpy(np.unpackbits(bits, count=int(np.prod(shape))).astype(bool))
        tensor = torch.zeros(nonzero.shape, dtype=values.dtype)
        tensor[nonzero] = values
        state[name] = tensor.reshape(shape)
    return state
