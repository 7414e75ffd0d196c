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
# Tokens a parameter below which a training has hardly begun: how large it is does not show yet, and
# nothing so short was among what the law was fitted to. Trainings from which the ratio of its
# factors can be told.
LEAST_READ, LEAST_TRAINED = 1.0, 4


def long_enough(parameters: float, tokens: float) -> bool:
    """Whether a training tells of longer ones."""
    return tokens >= LEAST_READ * parameters


def fitted(trained: Sequence[Trained], like: ScalingLaw = CHINCHILLA) -> ScalingLaw | None:
    """The law with constants found anew from (parameters, tokens, loss) of trainings.

    The exponents are those of ``like``; floor and factors are the least squares of what is not
    negative. Only trainings that are ``long_enough`` count; unless there are enough of them, of
    several sizes and lengths, the ratio of the factors is that of ``like``, too. None if they do
    not differ.
    """
    known = [one for one in trained if long_enough(*one[:2])]
    several = all(len({one[place] for one in known}) > 1 for place in (0, 1))
    free = _free(known, like) if several and len(known) >= LEAST_TRAINED else None
    if free is not None and free.a > 0 and free.b > 0:
        return free
    return _scaled(known, like)


def _free(trained: Sequence[Trained], like: ScalingLaw) -> ScalingLaw:
    """With a factor of its own for each term."""
    sizes, tokens, losses = zip(*trained, strict=True)
    terms = [[n**-like.alpha for n in sizes], [d**-like.beta for d in tokens]]
    floor, a, b = _least_squares(terms, losses)
    return ScalingLaw(floor, a, b, like.alpha, like.beta)


def _scaled(trained: Sequence[Trained], like: ScalingLaw) -> ScalingLaw | None:
    """With one factor for both terms."""
    reducible = [like.loss(n, d) - like.floor for n, d, _ in trained]
    if len(set(reducible)) < 2:
        return None
    floor, factor = _least_squares([reducible], [loss for *_, loss in trained])
    return ScalingLaw(floor, factor * like.a, factor * like.b, like.alpha, like.beta)


def _least_squares(terms: Sequence[Sequence[float]], losses: Sequence[float]) -> list[float]:
    """Factors, none negative, of one and of each term."""
    import numpy as np
    from scipy.optimize import nnls

    design = np.column_stack([np.ones(len(losses)), *terms])
    scale = design.max(axis=0)
    return list(map(float, nnls(design / scale, np.array(losses))[0] / scale))


# Muennighoff et al. 2023 (arXiv:2305.16264), equation 5 and section 5: how many times a text can be
# read again before its worth falls to 1/e.
READ_AGAIN = 15.39


def read_anew(tokens: float, passes: float) -> float:
    """New tokens that are worth so many passes over ``tokens``."""
    again = max(0.0, passes - 1.0)
    return tokens * (min(1.0, passes) + READ_AGAIN * (1 - math.exp(-again / READ_AGAIN)))
