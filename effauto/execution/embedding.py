"""Features of every example, in one pass through the network as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from effauto.execution.batches import encode_training
from effauto.execution.training import Training
from effauto.model.transformer import TaskModel
from effauto.task.examples import Examples

if TYPE_CHECKING:
    from effauto.execution.context import Context
    from effauto.execution.encoding import Pieces

Vectors = NDArray[np.float32]


def embed(
    model: TaskModel, examples: Examples, training: Training, context: Context
) -> tuple[Vectors, list[int]]:
    """Features of every example in one pass, (rows, feature_width), and a class for each.

    For tagging a row is a word (its first piece). Rows of like length share a batch, whatever the
    training does, and the pass is remembered: recipes that embed alike pay for it once in time,
    while each is charged what it cost.
    """

    def make() -> dict[str, NDArray[Any]]:
        encoded = encode_training(model, examples, training, context)
        features = _features(model, encoded, training.batch_size, context)
        if examples.kind == "token-classification":
            return _by_word(encoded, features, examples)
        return {"features": np.stack(features), "targets": np.asarray(examples.targets)}

    made = context.remember(f"features-{training.max_tokens}", make)
    return made["features"], made["targets"].tolist()


def frozen_features(data: Examples, context: Context) -> NDArray[Any]:
    """(rows, width), standardised; of a pair each text is read on its own. No label is looked at.

    Remembered by what is read, so that recipes with other settings share the pass.
    """
    read = hashlib.sha256(repr((context.source.name, data.inputs)).encode()).hexdigest()
    probe = replace(context, provenance=f"untouched/{read}", subject="probe ")
    model = context.untouched()
    if data.kind == "pair-classification":
        model.pair_separately()
    unlabelled = replace(data, targets=(0,) * len(data))
    features, _ = embed(model, unlabelled, Training(), probe)
    scaled: NDArray[Any] = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    return scaled


@torch.inference_mode()
def _features(
    model: TaskModel, encoded: Sequence[Pieces], batch_size: int, context: Context
) -> list[Vectors]:
    by_length = sorted(range(len(encoded)), key=lambda row: encoded[row].length)
    features: dict[int, Vectors] = {}
    model.eval()
    for start in range(0, len(by_length), batch_size):
        rows = by_length[start : start + batch_size]
        arrays = context.pad([encoded[row] for row in rows])
        inputs = {name: torch.from_numpy(a).to(context.device) for name, a in arrays.items()}
        with context.counting("embed", inputs["input_ids"].numel()):
            found = model.features(**inputs).float().cpu().numpy()
        features |= dict(zip(rows, found, strict=True))
        context.report("embedding", (start + len(rows)) / len(by_length))
    return [features[row] for row in range(len(encoded))]


def _by_word(
    encoded: Sequence[Pieces], features: Sequence[Vectors], examples: Examples
) -> dict[str, NDArray[Any]]:
    kept = [
        (vectors[piece], tag)
        for pieces, vectors, tags in zip(encoded, features, examples.targets, strict=True)
        for piece, tag in zip(pieces.words, tags, strict=True)  # type: ignore[arg-type]
        if piece >= 0
    ]
    words, tags = zip(*kept, strict=True)
    return {"features": np.stack(words), "targets": np.asarray(tags)}
