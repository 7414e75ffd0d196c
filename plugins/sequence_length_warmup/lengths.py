"""A loss on the beginning of each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import Tensor

from . import share

if TYPE_CHECKING:
    from collections.abc import Callable

    from effauto import Batch, Moment, TaskModel

# Lengths are multiples of this, as in Li et al. 2022, section 4.
MULTIPLE = 8


@dataclass
class Lengthening:
    """The loss on as much of a batch as may be read at this ``progress`` of the training."""

    loss: Callable[[TaskModel, Batch], Tensor]
    start: float
    pacing: float
    progress: float = 0.0

    def __call__(self, model: TaskModel, batch: Batch) -> Tensor:
        return self.loss(model, self.cut(batch))

    def note(self, model: TaskModel, moment: Moment) -> None:
        """Called after each step."""
        self.progress = moment.step / moment.steps

    def cut(self, batch: Batch) -> Batch:
        tokens = batch.inputs["input_ids"].shape[1]
        wanted = share(self.progress, self.start, self.pacing) * tokens
        length = min(tokens, max(MULTIPLE, round(wanted / MULTIPLE) * MULTIPLE))
        inputs = {name: tensor[:, :length] for name, tensor in batch.inputs.items()}
        return replace(batch, inputs=inputs, targets=batch.targets[:, :length])
