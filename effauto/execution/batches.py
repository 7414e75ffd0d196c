"""Rows of a task as tensors that a model is trained on: encoded, padded, with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from effauto.execution.encoding import FIRST_PIECE_ONLY, Pieces, padded_length
from effauto.model.transformer import TaskModel
from effauto.task.examples import Examples
from effauto.traits import LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING

if TYPE_CHECKING:
    from effauto.execution.context import Context
    from effauto.execution.training import Training


@dataclass(frozen=True)
class Batch:
    """Tensors that a model takes, the rows they came from, and what they should give.

    ``targets`` is (batch,) classes, or (batch, tokens) tags with -100 where none is asked for.
    """

    inputs: dict[str, Tensor]
    targets: Tensor
    rows: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Word pieces computed, padding counted."""
        return self.inputs["input_ids"].numel()


def encode_training(
    model: TaskModel, examples: Examples, training: Training, context: Context
) -> list[Pieces]:
    """The training rows as word pieces, cut to what the training reads."""
    encoding = context.encoding(model)
    return encoding.encode(examples.inputs, min(training.max_tokens, context.model.max_tokens))


def collate(
    rows: Sequence[int],
    encoded: Sequence[Pieces],
    examples: Examples,
    training: Training,
    context: Context,
) -> Batch:
    """Tensors of these rows, padded as the training says."""
    longest = max(row.length for row in encoded) if training.padding == "fixed" else None
    chosen = [encoded[row] for row in rows]
    arrays = context.pad(chosen, padded_length(longest) if longest else None)
    hidden = None
    if examples.kind == MASKED_LANGUAGE_MODELING:
        arrays["input_ids"], hidden = training.masking.applied(
            arrays["input_ids"], chosen, context.mask, len(context.classes)
        )
    inputs = {name: torch.from_numpy(array).to(context.device) for name, array in arrays.items()}
    if examples.kind == LANGUAGE_MODELING:
        return Batch(inputs, next_pieces(inputs), tuple(rows))
    if hidden is not None:
        return Batch(inputs, torch.from_numpy(hidden).to(context.device), tuple(rows))
    targets = _targets(chosen, [examples.targets[row] for row in rows], inputs["input_ids"].shape)
    return Batch(inputs, targets.to(context.device), tuple(rows))


def next_pieces(inputs: dict[str, Tensor]) -> Tensor:
    """What a language model should give at each place: the piece that follows; -100 at the end."""
    numbers, mask = inputs["input_ids"], inputs["attention_mask"]
    targets = torch.full_like(numbers, FIRST_PIECE_ONLY)
    targets[:, :-1] = numbers[:, 1:].masked_fill(mask[:, 1:] == 0, FIRST_PIECE_ONLY)
    return targets


def _targets(rows: Sequence[Pieces], targets: Sequence[object], shape: torch.Size) -> Tensor:
    if all(isinstance(target, int) for target in targets):
        return torch.tensor(targets)
    tags = np.full(tuple(shape), FIRST_PIECE_ONLY, dtype=np.int64)
    for place, (row, words) in enumerate(zip(rows, targets, strict=True)):
        for piece, tag in zip(row.words, words, strict=True):  # type: ignore[call-overload]
            if piece >= 0:
                tags[place, piece] = tag
    return torch.from_numpy(tags)
