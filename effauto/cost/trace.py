"""What one training step and one request of a recipe do, counted on tensors without numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from effauto.hardware.products import Product


@dataclass(frozen=True)
class Counted:
    """One training step, or one forward pass over a batch.

    ``flops`` are operations of matrix products; ``peak_bytes`` the most that tensors hold at once,
    weights, gradients and optimizer included; ``products`` how often each occurs; ``numbers`` the
    numbers that other operators touch, by kind; ``calls`` the operators that torch dispatches;
    ``tokens`` the word pieces computed, padding counted.
    """

    flops: float
    peak_bytes: float
    products: Mapping[Product, int]
    numbers: Mapping[str, float]
    calls: int
    tokens: int

    def to_json(self) -> dict[str, Any]:
        products = [[*product, count] for product, count in self.products.items()]
        return {**vars(self), "products": products, "numbers": dict(self.numbers)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counted:
        products = {Product(*row[:-1]): row[-1] for row in data["products"]}
        return cls(**{**data, "products": products})


@dataclass(frozen=True)
class Trace:
    """A recipe followed as far as tensors without numbers lead.

    ``step`` is a training step on ``batch_size`` rows, None if nothing is trained by steps that
    could be followed; ``epochs`` passes are made over the rows. ``request`` is a batch of one,
    ``batch`` of 32. ``saved_bytes`` is what the tensors take on disk. Of the methods ``skipped``
    at least one verb could not be followed: ``notes`` say which and why.
    """

    step: Counted | None
    request: Counted
    batch: Counted
    saved_bytes: float
    parameters: float
    notes: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    epochs: float = 0.0
    batch_size: int = 0

    @property
    def products(self) -> frozenset[Product]:
        """Every product that occurs, in training or in answering."""
        parts = (self.step, self.request, self.batch)
        return frozenset(product for part in parts if part for product in part.products)

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "step": self.step and self.step.to_json(),
            "request": self.request.to_json(),
            "batch": self.batch.to_json(),
            "skipped": sorted(self.skipped),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trace:
        counted = {
            name: data[name] and Counted.from_json(data[name])
            for name in ("step", "request", "batch")
        }
        told = {"notes": tuple(data["notes"]), "skipped": frozenset(data["skipped"])}
        return cls(**{**data, **counted, **told})
