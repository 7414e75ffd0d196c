"""Put a model that transformers built from a config into the maximal-update parametrisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from effauto.transfer.attention import scale_attention
from effauto.transfer.depth import scale_branches
from effauto.transfer.multipliers import Multipliers
from effauto.transfer.resize import layers_of, width_of
from effauto.transfer.shapes import Build, Role, Shape, shapes

SAME = Multipliers()


@dataclass(frozen=True)
class Parametrisation:
    """How a model was scaled: its ``width`` and ``depth`` are so many times those of its base.

    The scores of ``attention`` are multiplied by a factor, and so, by hooks, the ``inputs`` and the
    ``outputs`` of modules: :func:`~effauto.transfer.folding.folded` writes all into the weights.
    """

    shapes: Mapping[str, Shape]
    width: float
    depth: float
    attention: float
    inputs: Mapping[str, float]
    outputs: Mapping[str, float]
    handles: tuple[Any, ...] = ()

    def learning_rate(self, name: str) -> float:
        """What Adam's learning rate of this parameter is multiplied by (table 3: Adam)."""
        shape = self.shapes[name]
        return 1.0 / shape.inputs if shape.role == "matrix" else 1.0


def maximal_update(
    model: nn.Module, base: Any, tuned: Multipliers = SAME, build: Build | None = None
) -> Parametrisation:
    """Scale a model just built from its config, of which ``base`` is a narrower one, in place.

    ``build`` makes a model like it from a config, by default its class does.

    Yang et al. 2021, table 8: weights from width to width are drawn with a variance that falls with
    their inputs, logits are divided by the width, attention by the size of a head in place of its
    root; :func:`parameter_groups` does the rest. Depth follows CompleteP (Dey et al. 2025,
    arXiv:2505.01618): each branch is divided by the depth. At the base's size nothing changes.
    transformers draws at one deviation for all widths, which is what is scaled here.

    Raises TransferError, with the name of the parameter or module that cannot be scaled.
    """
    found = shapes(model, base, build or type(model))
    config: Any = model.config
    depth = layers_of(config) / layers_of(base)
    _initialise(model, found, tuned)
    attention = scale_attention(model, base, tuned.attention)
    inputs = {place: tuned.output / times for place, times in _readouts(model, found).items()}
    outputs = scale_branches(model, depth) if depth != 1 else {}
    outputs |= {place: tuned.embedding for place in _embeddings(model) if tuned.embedding != 1}
    modules = dict(model.named_modules())
    handles = [
        modules[place].register_forward_pre_hook(_before(by)) for place, by in inputs.items()
    ]
    handles += [modules[place].register_forward_hook(_after(by)) for place, by in outputs.items()]
    width = width_of(config) / width_of(base)
    return Parametrisation(found, width, depth, attention, inputs, outputs, tuple(handles))


def joined(model: nn.Module, scaled: Parametrisation) -> Parametrisation:
    """The same with the parameters that ``model`` was given since.

    The matrix of a linear layer that reads the model's width learns as one; all else as a vector.
    """
    width = width_of(model.config)
    added = {}
    for place, module in model.named_modules():
        for attribute, parameter in module.named_parameters(place, recurse=False):
            reads = isinstance(module, nn.Linear) and module.in_features == width
            matrix = reads and parameter.ndim > 1
            role: Role = "matrix" if matrix else "vector"
            added[attribute] = Shape(attribute, role, scaled.width if matrix else 1.0)
    return replace(scaled, shapes=added | dict(scaled.shapes))


def _initialise(model: nn.Module, found: Mapping[str, Shape], tuned: Multipliers) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                shape = found[name]
                narrower = shape.inputs**-0.5 if shape.role == "matrix" else 1.0
                parameter.mul_(narrower * tuned.initialisation)


def _readouts(model: nn.Module, found: Mapping[str, Shape]) -> dict[str, float]:
    """Modules that map width to something fixed, and how much wider their inputs are.

    One that shares its matrix with an embedding (tied weights) is found by what it computes.
    """
    readouts = {
        shape.name.rpartition(".")[0]: shape.inputs
        for shape in found.values()
        if shape.role == "readout"
    }
    shared = {id(module.weight): name for name, module in _embedding_modules(model).items()}
    for place, module in model.named_modules():
        if isinstance(module, nn.Linear) and id(module.weight) in shared:
            readouts[place] = found[f"{shared[id(module.weight)]}.weight"].outputs
    return readouts


def _embedding_modules(model: nn.Module) -> dict[str, nn.Embedding]:
    found = model.named_modules()
    return {place: module for place, module in found if isinstance(module, nn.Embedding)}


def _embeddings(model: nn.Module) -> list[str]:
    return list(_embedding_modules(model))


def _before(factor: float) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
    return lambda module, given: (given[0] * factor, *given[1:])


def _after(factor: float) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    return lambda module, given, result: result * factor
