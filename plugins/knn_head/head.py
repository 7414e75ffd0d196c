"""A head that remembers examples: plain tensors, so that it is saved and exported as others."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Neighbours(nn.Module):
    """Counts the classes of the ``k`` nearest of ``store``, (rows, dims), in the projected space.

    Features are scaled to length 1 before ``projection``, (width, dims), and its ``offset``.
    """

    store: Tensor
    labels: Tensor
    projection: Tensor
    offset: Tensor

    def __init__(
        self,
        store: Tensor,
        labels: Tensor,
        projection: Tensor,
        offset: Tensor,
        classes: int,
        k: int,
    ) -> None:
        super().__init__()
        self.classes, self.k = classes, min(k, len(store))
        self.register_buffer("store", store)
        self.register_buffer("labels", labels.to(torch.int32))
        self.register_buffer("projection", projection)
        self.register_buffer("offset", offset)

    @classmethod
    def of_shape(cls, rows: int, width: int, dims: int, classes: int, k: int) -> Neighbours:
        """Places for the numbers, to be loaded."""
        return cls(
            torch.empty(rows, dims),
            torch.zeros(rows),
            torch.empty(width, dims),
            torch.empty(dims),
            classes,
            k,
        )

    @property
    def shape(self) -> dict[str, int]:
        """What :meth:`of_shape` takes."""
        rows, dims = self.store.shape
        width = len(self.projection)
        return {"rows": rows, "width": width, "dims": dims, "classes": self.classes, "k": self.k}

    def forward(self, features: Tensor) -> Tensor:
        """Votes, (batch, classes); of classes with as many the first is the largest."""
        found = project(features, self.projection, self.offset)
        # The squared distance, less what is the same for all rows of the store.
        distances = self.store.square().sum(dim=-1) - 2 * found @ self.store.T
        nearest = distances.topk(self.k, largest=False).indices
        voted = nn.functional.one_hot(self.labels[nearest].long(), self.classes)
        return voted.sum(dim=-2).to(features.dtype)


def project(features: Tensor, projection: Tensor, offset: Tensor) -> Tensor:
    """(rows, dims) of features, whose length does not count."""
    return nn.functional.normalize(features.to(projection.dtype), dim=-1) @ projection + offset
