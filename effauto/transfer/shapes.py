"""Which of a parameter's sides grow with the width, read from two models of different widths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import nn

from effauto.errors import TransferError
from effauto.transfer.resize import resized, width_of

Role = Literal["vector", "matrix", "readout"]
Build = Callable[[Any], nn.Module]


@dataclass(frozen=True)
class Shape:
    """A parameter's role, and how many times wider its inputs and outputs are than at the base.

    A ``matrix`` maps width to width, a ``readout`` width to something fixed; all else is a
    ``vector``: embeddings, biases, norms (Yang et al. 2021, section B.1).
    """

    name: str
    role: Role
    inputs: float = 1.0
    outputs: float = 1.0


@dataclass(frozen=True)
class Skeleton:
    """A model's modules without numbers, from its config."""

    model: nn.Module

    @classmethod
    def of(cls, build: Build, config: Any) -> Skeleton:
        with torch.device("meta"):
            return cls(build(config))

    @cached_property
    def parameters(self) -> Mapping[str, nn.Parameter]:
        """All of them; one that two modules share stands under its first name."""
        return dict(self.model.named_parameters())


def shapes(model: nn.Module, base: Any, build: Build) -> dict[str, Shape]:
    """The shape of each parameter of ``model`` beside what ``build`` makes of the config ``base``.

    What grows is found by doubling the base. Raises TransferError, with the parameter's name, for
    one that cannot be scaled.
    """
    narrow = Skeleton.of(build, base).parameters
    wide = Skeleton.of(build, resized(base, 2 * width_of(base))).parameters
    found = {}
    for owner, attribute, name, parameter in _owned(model):
        place = name if name in narrow else _in_first_layer(name)
        if place not in narrow:
            raise TransferError(f"the parameter {name} is not in the base model: other kinds?")
        sides = [
            _times(name, *sizes)
            for sizes in zip(parameter.shape, narrow[place].shape, wide[place].shape, strict=True)
        ]
        found[name] = _shape(name, owner, attribute, sides)
    return found


def _owned(model: nn.Module) -> list[tuple[nn.Module, str, str, nn.Parameter]]:
    modules = dict(model.named_modules())
    return [
        (modules[name.rpartition(".")[0]], name.rpartition(".")[2], name, parameter)
        for name, parameter in model.named_parameters()
    ]


def _in_first_layer(name: str) -> str:
    """A deeper model's layers are alike: the name of the same parameter in its first."""
    return ".".join("0" if part.isdigit() else part for part in name.split("."))


def _times(name: str, size: int, narrow: int, wide: int) -> float | None:
    """How many times wider; None for a side that does not grow."""
    if narrow == wide:
        if size != narrow:
            raise TransferError(
                f"the parameter {name} has a side of {size} that is {narrow} at every width of the "
                "base model: take a base of the same vocabulary and positions"
            )
        return None
    return size / narrow


def _shape(name: str, owner: nn.Module, attribute: str, sides: list[float | None]) -> Shape:
    growing = [side for side in sides if side is not None]
    if len(sides) == 1 or isinstance(owner, nn.Embedding):
        return Shape(name, "vector", outputs=(growing or [1.0])[-1])
    if len(sides) != 2:
        if growing:
            raise TransferError(f"the parameter {name} has {len(sides)} sides, of which some grow")
        return Shape(name, "vector")
    outputs, inputs = sides if _outputs_first(name, owner, attribute, sides) else sides[::-1]
    if inputs is None:
        return Shape(name, "vector", outputs=outputs or 1.0)
    role: Role = "readout" if outputs is None else "matrix"
    return Shape(name, role, inputs, outputs or 1.0)


def _outputs_first(name: str, owner: nn.Module, attribute: str, sides: list[float | None]) -> bool:
    """How the module keeps its matrix; GPT-2's Conv1D keeps its inputs first."""
    from transformers.pytorch_utils import Conv1D

    if isinstance(owner, Conv1D):
        return False
    if isinstance(owner, nn.Linear) or all(side is None for side in sides):
        return True
    raise TransferError(
        f"the parameter {name} is the {attribute} of a {type(owner).__name__}, of which it is not "
        "known on which side its inputs lie"
    )
