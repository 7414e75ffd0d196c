"""A trained model made plain: what was multiplied on the way is written into its weights."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn

from effauto.transfer.attention import write_into_queries
from effauto.transfer.parametrisation import Parametrisation


def released(scaled: Parametrisation) -> None:
    """Take the hooks away, from a model whose weights hold their factors already."""
    for handle in scaled.handles:
        handle.remove()


def folded(model: nn.Module, scaled: Parametrisation) -> nn.Module:
    """Take the hooks away and put their factors into the weights, in place; return the model.

    It then computes the same, and what transformers saves of it needs nothing of effauto. A readout
    that shared its matrix with an embedding gets its own.
    """
    released(scaled)
    modules = dict(model.named_modules())
    embeddings = {id(m.weight) for m in modules.values() if isinstance(m, nn.Embedding)}
    with torch.no_grad():
        write_into_queries(model, scaled.attention)
        for place, factor in scaled.inputs.items():
            readout: Any = modules[place]
            if id(readout.weight) in embeddings:
                _untie(model, readout)
            readout.weight.mul_(factor)
        for place in scaled.outputs.keys() & modules.keys():  # a shared layer's stand in the first
            factor, ending = scaled.outputs[place], cast("Any", modules[place])
            ending.weight.mul_(factor)
            if getattr(ending, "bias", None) is not None:
                ending.bias.mul_(factor)
    return model


def _untie(model: nn.Module, readout: Any) -> None:
    """Give the readout numbers of its own, and say so in the config."""
    for name, parameter in list(readout.named_parameters(recurse=False)):
        setattr(readout, name, nn.Parameter(parameter.detach().clone()))
    config: Any = model.config
    config.tie_word_embeddings = False
    if hasattr(model, "_tied_weights_keys"):
        model._tied_weights_keys = None  # type: ignore[assignment]
