"""Models and batches of the right shapes that hold no numbers, and so take no memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from effauto.execution.batches import Batch
from effauto.execution.context import Context
from effauto.model.transformer import Pooling, TaskModel, from_config

Verb = Callable[[TaskModel], TaskModel]


@dataclass
class FakeContext(Context):
    """The surroundings of a trace: models in it have shapes only."""

    def untouched(self) -> TaskModel:
        """The pretrained model's structure, on the meta device, with a new head."""
        pooling: Pooling = "last" if "decoder" in self.model.facts else "mean"
        with torch.device("meta"):
            return from_config(
                self.source.files, self.task.kind, len(self.classes), pooling, "joint"
            )


def changed(model: TaskModel, verb: Verb, mode: FakeTensorMode) -> TaskModel:
    """``verb(model)``, on meta tensors, or on fake ones where it cannot be done on meta.

    Raises what the second attempt raised; ``model`` is then as it was.
    """
    try:
        with torch.device("meta"):
            return verb(deepcopy(model))
    except Exception:  # a method may do anything that wants numbers
        copied = filled(deepcopy(model), mode)
        with numberless(mode):
            return verb(copied)


def filled(model: TaskModel, mode: FakeTensorMode) -> TaskModel:
    """The same model with a fake CPU tensor in the place of each of its tensors.

    Tensors that were shared stay shared.
    """
    made: dict[int, Any] = {}

    def fake(tensor: Tensor) -> Tensor:
        if id(tensor) not in made:
            with mode:
                empty = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
            trained = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if trained else empty
        found: Tensor = made[id(tensor)]
        return found

    for module in model.modules():
        for places in (module._parameters, module._buffers):
            for name, tensor in list(places.items()):
                if tensor is not None:
                    places[name] = fake(tensor)  # type: ignore[assignment]
    return model


class AllWell(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Checks of numbers that are not there: each holds of all of them, and none stands out."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.all.default, torch.ops.aten.any.default):
            return torch.tensor(func is torch.ops.aten.all.default)
        return func(*args, **(kwargs or {}))


def batch_of(model: TaskModel, rows: int, tokens: int) -> Batch:
    """Rows of so many word pieces each; to be called within a FakeTensorMode."""
    sides = 2 if model.pairing == "separate" else 1
    inputs = {
        name: torch.ones(sides * rows, tokens, dtype=torch.long) for name in model.input_names
    }
    shape = (rows, tokens) if model.kind == "token-classification" else (rows,)
    return Batch(inputs, torch.zeros(shape, dtype=torch.long), tuple(range(rows)))


@contextmanager
def numberless(mode: FakeTensorMode) -> Iterator[None]:
    """Within, tensors that are made hold no numbers, and checks of numbers find all well."""
    with mode, AllWell():  # type: ignore[no-untyped-call]
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Fake tensors warn of much that is no concern of a trace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
