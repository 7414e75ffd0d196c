"""The rows of a batch on their way through the layers, of which some leave before the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

# Hidden states of those left -> (logits, whether each example is answered with them)
Exit = Callable[[Tensor], tuple[Tensor, Tensor]]


class _NobodyLeft(Exception):
    """Ends the forward pass of a body that does not know of exits."""


class Passage:
    """``rows`` of a batch, of which an example has ``sides``: first texts, then second ones."""

    def __init__(self, rows: int, sides: int) -> None:
        self.rows, self.sides = rows, sides
        self.left: Tensor | None = None  # examples still on their way; None while all are
        self.given: list[tuple[Tensor | None, Tensor]] = []

    def of_those_left(self, value: Any) -> Any:
        """The rows of a tensor of the whole batch that are still on their way."""
        if self.left is None or not isinstance(value, Tensor) or value.ndim < 2:
            return value
        return value[self._rows_of(self.left, self.rows)] if len(value) == self.rows else value

    def _rows_of(self, examples: Tensor, rows: int) -> Tensor:
        step = rows // self.sides
        return torch.cat([examples + side * step for side in range(self.sides)])

    def answer(self, logits: Tensor) -> None:
        """Answer all that are left."""
        self.given.append((self.left, logits))

    def answers(self) -> Tensor:
        """(examples, classes), in the order of the batch."""
        first, logits = self.given[0]
        if first is None:
            return logits
        whole = logits.new_empty(self.rows // self.sides, logits.shape[-1], dtype=torch.float32)
        for examples, logits in self.given:
            whole[examples] = logits.float()
        return whole

    @contextmanager
    def through(self, layers: nn.ModuleList, exits: Mapping[int, Exit]) -> Iterator[None]:
        """While it lasts, layers see only rows that are left; it ends when there are none."""
        handles = [
            layers[place].register_forward_hook(partial(self._leave, exit=exit))
            for place, exit in exits.items()
        ]
        handles += [
            layer.register_forward_pre_hook(self._narrow, with_kwargs=True) for layer in layers
        ]
        try:
            yield
        except _NobodyLeft:
            pass
        finally:
            for handle in handles:
                handle.remove()

    def _narrow(self, layer: nn.Module, args: Any, kwargs: Any) -> Any:
        """Masks and the like were made for the whole batch."""
        return None if self.left is None else tree_map(self.of_those_left, (args, kwargs))

    def _leave(self, layer: nn.Module, args: Any, output: Any, exit: Exit) -> Any:
        states: Tensor = output[0] if isinstance(output, tuple) else output
        logits, sure = exit(states)
        if not sure.any():
            return None
        everyone = torch.arange(len(sure), device=sure.device)
        here = everyone if self.left is None else self.left
        self.given.append((here[sure], logits[sure]))
        if sure.all():
            raise _NobodyLeft
        self.left = here[~sure]
        states = states[self._rows_of(everyone[~sure], len(states))]
        return (states, *output[1:]) if isinstance(output, tuple) else states
