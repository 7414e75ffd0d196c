"""How well a language model foretells held-out text."""

from __future__ import annotations

import math

import numpy as np

from effauto.execution.predictor import Predictor
from effauto.resources import WITHIN, Figure
from effauto.task.examples import Examples
from effauto.traits import MASKED_LANGUAGE_MODELING

BITS_A_BYTE = 8.0


def compression(model: Predictor, examples: Examples) -> Figure:
    """1 - bits a byte / 8, with its 80 % range over rows; the note tells the bits and perplexity.

    Bits a byte do not depend on how the text is cut into pieces; perplexity is a piece's. Of a
    masked language model both are those of the pieces that are hidden from it.
    """
    found = model.surprise(examples.inputs)
    nats, sizes, pieces = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    bits = float(nats.sum() / sizes.sum()) / math.log(2)
    residuals = nats / math.log(2) - bits * sizes
    margin = WITHIN * float(residuals.std()) / (len(found) ** 0.5 * sizes.mean())
    low, value, high = (_saved(bits + by) for by in (margin, 0.0, -margin))
    perplexity = math.exp(float(nats.sum()) / max(1.0, pieces.sum()))
    hidden = "hidden " if model.kind == MASKED_LANGUAGE_MODELING else ""
    note = f"{bits:.3f} bits a byte, perplexity {perplexity:.1f} a {hidden}piece, "
    return Figure(value, "1", low, high, "measured", f"{note}{sizes.sum():,.0f} bytes")


def _saved(bits: float) -> float:
    return min(1.0, max(0.0, 1.0 - bits / BITS_A_BYTE))
