"""The loss of each row of a batch, and a batch of some of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from effauto.execution.encoding import FIRST_PIECE_ONLY

if TYPE_CHECKING:
    from effauto.execution.batches import Batch
    from effauto.model.transformer import TaskModel


@torch.no_grad()
def row_losses(model: TaskModel, batch: Batch) -> Tensor:
    """(batch,) cross-entropies; for tagging the mean over the words of a row."""
    logits = model(**batch.inputs).flatten(0, -2).float()
    targets = batch.targets.flatten()
    losses = nn.functional.cross_entropy(
        logits, targets, ignore_index=FIRST_PIECE_ONLY, reduction="none"
    )
    asked = (targets != FIRST_PIECE_ONLY).view(len(batch.rows), -1).sum(dim=1)
    return losses.view(len(batch.rows), -1).sum(dim=1) / asked.clamp(min=1)


def rows_at(batch: Batch, places: Tensor) -> Batch:
    """The rows at these places. Texts of pairs read apart stand one half below the other."""
    rows = len(batch.rows)
    inputs = {
        name: tensor.view(-1, rows, *tensor.shape[1:])[:, places].flatten(0, 1)
        for name, tensor in batch.inputs.items()
    }
    chosen = tuple(batch.rows[place] for place in places.tolist())
    return replace(batch, inputs=inputs, targets=batch.targets[places], rows=chosen)
