"""Fill the store with the training examples' features, in fewer dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from effauto import embed

from .head import Neighbours, project

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

Array = NDArray[Any]


def fit_neighbours(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    k: int,
    dims: int,
    share: float,
) -> TaskModel:
    """Embed the examples and put a ``share`` of each class into the model's head."""
    features, targets = embed(model, examples, training, context)
    labels = np.asarray(targets)
    projection, offset = map(_tensor, principal_components(_unit(features), dims))
    kept = _share(labels, share, context.seed)
    store = project(torch.from_numpy(features[kept]), projection, offset)
    head = Neighbours(store, torch.from_numpy(labels[kept]), projection, offset, model.classes, k)
    model.head = head.to(context.device)  # type: ignore[assignment]
    model.config.neighbours = head.shape
    return model.eval()


def principal_components(features: Array, dims: int) -> tuple[Array, Array]:
    """(width, dims) directions in which ``features`` vary most, and what centres them there."""
    mean = features.mean(axis=0, dtype=np.float64)
    centred = features - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    projection = vectors[:, ::-1][:, :dims]
    return projection, -mean @ projection


def _unit(features: Array) -> Array:
    lengths: Array = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, 1e-12)


def _tensor(array: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _share(labels: Array, share: float, seed: int) -> Array:
    """Row numbers, in their order: of each class this share, one at least."""
    generator = np.random.default_rng(seed)
    kept = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        kept.append(generator.choice(rows, max(1, round(share * len(rows))), replace=False))
    return np.sort(np.concatenate(kept))
