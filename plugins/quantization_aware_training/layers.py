"""Put layers in the place of a model's linear layers and table: rounding ones, then integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from effauto import EffautoError

from .fake import FakeInt8Embedding, FakeInt8Linear
from .served import Int8Embedding, Int8Linear, Integers, integers

if TYPE_CHECKING:
    from effauto import TaskModel

Make = Callable[[Any, Any], nn.Module]


def pretend(model: TaskModel, embeddings: bool) -> TaskModel:
    """Let the layers, and the table if ``embeddings``, compute as if in int8; the head does not."""
    _replace_linears(model.layers, FakeInt8Linear)
    if embeddings:
        _replace_table(model, FakeInt8Embedding)
    return model


def convert(
    model: TaskModel, embeddings: bool, how: Callable[[Tensor], Integers] = integers
) -> TaskModel:
    """Hold the same layers, and the table if ``embeddings``, in integers that ``how`` makes."""
    _replace_linears(model.layers, lambda weight, bias: Int8Linear(*how(weight), bias))
    if embeddings:
        _replace_table(model, lambda weight, _: Int8Embedding(*how(weight)))
    return model


def _replace_linears(layers: nn.Module, make: Make) -> None:
    for owner in list(layers.modules()):
        for name, child in list(owner.named_children()):
            if isinstance(child, nn.Linear):
                setattr(owner, name, make(child.weight, child.bias))
            elif isinstance(child, Conv1D):  # GPT-2's, which keeps its weight the other way round
                setattr(owner, name, make(_turned(child.weight), child.bias))


def _turned(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(weight.detach().T.contiguous(), requires_grad=weight.requires_grad)


def _replace_table(model: TaskModel, make: Make) -> None:
    """The table may be a narrow one with a matrix behind it, which stays as it is."""
    encoder: Any = model.encoder
    words = encoder.get_input_embeddings()
    if isinstance(words, nn.Embedding):
        encoder.set_input_embeddings(make(words.weight, words.padding_idx))
        return
    for name, part in words.named_children():
        if isinstance(part, nn.Embedding):
            setattr(words, name, make(part.weight, part.padding_idx))
            return
    raise EffautoError(
        f"quantization-aware-training finds no table of words in a {type(words).__name__}; "
        "set its knob embeddings to false"
    )
