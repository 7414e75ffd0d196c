"""How loss falls with parameters and tokens, and how to spread operations over both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Operations a parameter and token: two forward, four backward (Kaplan et al. 2020).
OPERATIONS = 6.0


@dataclass(frozen=True)
class ScalingLaw:
    """Loss in nats a token: ``floor`` + ``a`` / parameters^``alpha`` + ``b`` / tokens^``beta``."""

    floor: float
    a: float
    b: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """Foretold for a model of so many parameters, embeddings not counted, and tokens read."""
        return float(self.floor + self.a / parameters**self.alpha + self.b / tokens**self.beta)

    def optimum(self, operations: float) -> tuple[float, float]:
        """Parameters and tokens of the least loss for so many operations of training."""
        both = self.alpha + self.beta
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1 / both)
        parameters = ratio * (operations / OPERATIONS) ** (self.beta / both)
        return parameters, operations / OPERATIONS / parameters


# Hoffmann et al. 2022 (arXiv:2203.15556), section 3.3, as fitted anew by Besiroglu et al. 2024
# (arXiv:2404.10102), who found the published constants to be inconsistent with its data.
CHINCHILLA = ScalingLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658)
Trained = tuple[float, float, float]


def fitted(trained: Sequence[Trained], like: ScalingLaw = CHINCHILLA) -> ScalingLaw | None:
    """The law with constants found anew from (parameters, tokens, loss) of trainings.

    The exponents are those of ``like``; floor and factors are the least squares of what is not
    negative. None if the trainings do not differ in size and in length.
    """
    import numpy as np
    from scipy.optimize import nnls

    if len({one[0] for one in trained}) < 2 or len({one[1] for one in trained}) < 2:
        return None
    sizes, tokens, losses = np.array(trained).T
    design = np.column_stack([np.ones_like(sizes), sizes**-like.alpha, tokens**-like.beta])
    scale = design.max(axis=0)
    floor, a, b = nnls(design / scale, losses)[0] / scale
    return ScalingLaw(float(floor), float(a), float(b), like.alpha, like.beta)


# Muennighoff et al. 2023 (arXiv:2305.16264), equation 5 and section 5: how many times a text can be
# read again before its worth falls to 1/e.
READ_AGAIN = 15.39


def read_anew(tokens: float, passes: float) -> float:
    """New tokens that are worth so many passes over ``tokens``."""
    again = max(0.0, passes - 1.0)
    return tokens * (min(1.0, passes) + READ_AGAIN * (1 - math.exp(-again / READ_AGAIN)))
