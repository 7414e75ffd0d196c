"""Which numbers of a model BitFit trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel


def train_biases_only(model: TaskModel) -> TaskModel:
    """Freeze the body but for its biases, those of layer norms among them; the head is trained.

    Raises EffautoError if the body has no biases.
    """
    found = False
    for name, parameter in model.encoder.named_parameters():
        is_bias = name.rpartition(".")[2] == "bias"
        parameter.requires_grad_(is_bias)
        found = found or is_bias
    if not found:
        body = type(model.encoder).__name__
        raise EffautoError(f"bitfit cannot train {body}: it has no bias terms; use an adapter")
    return model
