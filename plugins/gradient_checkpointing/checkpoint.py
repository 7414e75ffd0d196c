"""Turn checkpoints on for the time of a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_with_checkpoints(
    model: TaskModel, examples: Examples, training: Training, context: Context, *, fit: Fit
) -> TaskModel:
    """Train by ``fit`` with checkpoints; the model that comes out has none.

    Dropout draws the same numbers again. Raises EffautoError if the body has no checkpoints.
    """
    encoder: Any = model.encoder
    if not getattr(encoder, "supports_gradient_checkpointing", False):
        raise EffautoError(
            f"gradient-checkpointing finds no checkpoints in {type(encoder).__name__}"
        )
    on, off = _switches(encoder)
    on({"use_reentrant": False})  # the other kind gives frozen embeddings no gradient
    # and with this kind nobody needs one, which transformers asks for, down to the first layer
    getattr(encoder, "disable_input_require_grads", lambda: None)()
    try:
        return fit(model, examples, training, context)
    finally:
        off()


def _switches(encoder: Any) -> tuple[Callable[[dict[str, Any]], None], Callable[[], None]]:
    """What turns checkpoints on and off; transformers renamed both and takes the old ones away."""
    kind = "activation" if hasattr(encoder, "activation_checkpointing_enable") else "gradient"
    return (
        getattr(encoder, f"{kind}_checkpointing_enable"),
        getattr(encoder, f"{kind}_checkpointing_disable"),
    )
