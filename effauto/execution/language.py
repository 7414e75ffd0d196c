"""How well a language model foretells held-out text."""

from __future__ import annotations

import math

import numpy as np

from effauto.execution.predictor import Predictor
from effauto.resources import WITHIN, Figure
from effauto.task.examples import Examples

BITS_A_BYTE = 8.0


def compression(model: Predictor, examples: Examples) -> Figure:
    """1 - bits a byte / 8, with its 80 % range over rows; the note tells the bits and perplexity.

    Bits a byte do not depend on how the text is cut into pieces; perplexity is a piece's.
    """
    rows = examples.inputs
    nats = np.array(model.surprise(rows))
    sizes = np.array([len(text.encode()) for (text,) in rows], dtype=float)
    pieces = sum(row.tokens - 1 for row in model.encoding.encode(rows, model.max_tokens))
    bits = float(nats.sum() / sizes.sum()) / math.log(2)
    residuals = nats / math.log(2) - bits * sizes
    margin = WITHIN * float(residuals.std()) / (len(rows) ** 0.5 * sizes.mean())
    low, value, high = (_saved(bits + by) for by in (margin, 0.0, -margin))
    perplexity = math.exp(float(nats.sum()) / max(1, pieces))
    note = f"{bits:.3f} bits a byte, perplexity {perplexity:.1f} a piece, {sizes.sum():,.0f} bytes"
    return Figure(value, "1", low, high, "measured", note)


def _saved(bits: float) -> float:
    return min(1.0, max(0.0, 1.0 - bits / BITS_A_BYTE))
