"""The beginning of each row of a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import share

if TYPE_CHECKING:
    from effauto import Batch, Moment

# Lengths are multiples of this, as in Li et al. 2022, section 4.
MULTIPLE = 8


def beginning(batch: Batch, moment: Moment, *, start: float, pacing: float) -> Batch:
    """As much of each row as may be read in this step of the training."""
    tokens = batch.inputs["input_ids"].shape[1]
    wanted = share((moment.step - 1) / moment.steps, start, pacing) * tokens
    length = min(tokens, max(MULTIPLE, round(wanted / MULTIPLE) * MULTIPLE))
    inputs = {name: tensor[:, :length] for name, tensor in batch.inputs.items()}
    return replace(batch, inputs=inputs, targets=batch.targets[:, :length])
