"""The config of the same model at another width and depth."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from effauto.errors import TransferError

# What transformers' configs call these; the first that is there counts.
WIDTH = ("hidden_size", "n_embd")
LAYERS = ("num_hidden_layers", "n_layer")
HEADS = ("num_attention_heads", "n_head")
KEY_HEADS = ("num_key_value_heads",)
INNER = ("intermediate_size", "n_inner")


def resized(
    config: Any, width: int | None = None, layers: int | None = None, *, heads_grow: bool = True
) -> Any:
    """A copy of a transformers config, ``width`` wide and ``layers`` deep; None keeps either.

    Heads grow in number and keep their size; with ``heads_grow`` false they keep their number and
    grow in size. The inner layer grows alike. Raises TransferError if a number would not be whole.
    """
    made = deepcopy(config)
    if layers is not None:
        setattr(made, _called(made, LAYERS), layers)
        if getattr(made, "layer_types", None):
            made.layer_types = [made.layer_types[0]] * layers
    if width is None:
        return made
    before = int(getattr(made, _called(made, WIDTH)))
    scaled = [*INNER, *((*HEADS, *KEY_HEADS) if heads_grow else ())]
    for name in scaled:
        value = getattr(made, name, None)
        if isinstance(value, int) and name in made.to_dict():
            setattr(made, name, _whole(name, value, width, before))
    if not heads_grow and getattr(made, "head_dim", None):
        made.head_dim = _whole("head_dim", made.head_dim, width, before)
    setattr(made, _called(made, WIDTH), width)
    return made


def width_of(config: Any) -> int:
    """How wide the model of this config is."""
    return int(getattr(config, _called(config, WIDTH)))


def layers_of(config: Any) -> int:
    """How deep the model of this config is."""
    return int(getattr(config, _called(config, LAYERS)))


def _called(config: Any, names: tuple[str, ...]) -> str:
    known = config.to_dict()
    found = next((name for name in names if name in known), None)
    if found is None:
        kind = getattr(config, "model_type", type(config).__name__)
        raise TransferError(
            f"the config of {kind} states none of {', '.join(names)}: it cannot be resized"
        )
    return found


def _whole(name: str, value: int, width: int, before: int) -> int:
    whole, rest = divmod(value * width, before)
    if rest or not whole:
        raise TransferError(
            f"{name} = {value} at width {before} is no whole number at width {width}; "
            "choose a width that leaves heads of the same size"
        )
    return whole
