"""Make an optimizer for parameter groups whose learning rate was meant for AdamW."""

from __future__ import annotations

from typing import Any

import torch

from .eight_bit import AdamW8bit
from .lion import Lion

# The usual learning rate over AdamW's. Adafactor's is a share of the root mean square of the
# weights, about 0.05; Lion's steps are a sign each, and larger than AdamW's; SGD's are as small as
# the gradient, which is clipped to norm 1 over all weights. Tried on a six-layer encoder and 1,000
# questions, where these three came out within two points of AdamW.
USUAL = {"adafactor": 20.0, "lion": 0.6, "sgd": 1000.0, "adamw-8bit": 1.0}


def make(
    groups: list[dict[str, Any]], learning_rate: float, *, kind: str, rate: float
) -> torch.optim.Optimizer:
    """An optimizer at ``rate`` times its usual learning rate.

    Weights decay by as much a step as they would with AdamW.
    """
    factor = USUAL[kind] * rate
    decayed = [group | {"weight_decay": group["weight_decay"] / factor} for group in groups]
    learning_rate *= factor
    if kind == "adafactor":
        return torch.optim.Adafactor(decayed, lr=learning_rate, foreach=False)
    if kind == "lion":
        return Lion(decayed, lr=learning_rate)
    if kind == "adamw-8bit":
        return AdamW8bit(decayed, lr=learning_rate)
    return torch.optim.SGD(decayed, lr=learning_rate, fused=True)
