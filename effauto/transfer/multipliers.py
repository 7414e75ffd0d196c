"""What may be tuned on a narrow model and kept on a wide one, beside the learning rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Multipliers:
    """Constants by which activations are multiplied at every width (Yang et al. 2021, table 8).

    ``embedding`` those that enter the first layer, ``attention`` the scores before their softmax,
    ``output`` the logits, ``initialisation`` the deviation of all initial weights.
    """

    embedding: float = 1.0
    attention: float = 1.0
    output: float = 1.0
    initialisation: float = 1.0
