"""Batches that grow as training goes on."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effauto import Training


@dataclass
class Growing:
    """The order and the batches of ``training``, these being cut small at first.

    Which epoch it is tells the order, which is asked first.
    """

    training: Training
    start: float
    pacing: float
    epoch: int = 0
    epochs: int = 1

    def order(
        self, lengths: Sequence[int], epoch: int, epochs: int, generator: random.Random
    ) -> list[int]:
        self.epoch, self.epochs = epoch, epochs
        return self.training.order(lengths, epoch, epochs, generator)

    def group(
        self, order: list[int], lengths: Sequence[int], size: int, generator: random.Random
    ) -> list[list[int]]:
        """Whole batches, each cut into equal parts, about as large as they should be by then."""
        whole = self.training.group(order, lengths, size, generator)
        found = []
        for place, rows in enumerate(whole):
            progress = (self.epoch + place / len(whole)) / self.epochs
            part = math.ceil(len(rows) / round(1.0 / self.share(progress)))
            found += [rows[first : first + part] for first in range(0, len(rows), part)]
        return found

    def share(self, progress: float) -> float:
        """Of a whole batch; it grows evenly, to all of it at the progress ``pacing``."""
        return min(1.0, self.start + (1.0 - self.start) * progress / self.pacing)
