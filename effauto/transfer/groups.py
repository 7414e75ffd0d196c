"""Parameter groups for Adam, AdamW and their kin in the maximal-update parametrisation."""

from __future__ import annotations

from typing import Any

from torch import nn

from effauto.transfer.parametrisation import Parametrisation

EPSILON = 1e-8


def parameter_groups(
    model: nn.Module,
    scaled: Parametrisation,
    learning_rate: float,
    weight_decay: float = 0.0,
    epsilon: float = EPSILON,
) -> list[dict[str, Any]]:
    """Groups by learning rate: of matrices it falls with their inputs, of all else it stays.

    The decay of a matrix grows as its rate falls, so that their product, by which AdamW shrinks
    weights, stays (Yang et al. 2021, section B.3). Vectors do not decay. Adam's ε falls with the
    gradients, as 1 / width, and in the layers as 1 / depth (Dey et al. 2025, table 1).
    """
    found: dict[tuple[float, bool, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = scaled.learning_rate(name)
            layers = scaled.depth if any(part.isdigit() for part in name.split(".")) else 1.0
            found.setdefault((factor, parameter.ndim > 1, layers), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": learning_rate * factor,
            "weight_decay": weight_decay / factor if matrix else 0.0,
            "eps": epsilon / (scaled.width * layers),
        }
        for (factor, matrix, layers), parameters in found.items()
    ]
