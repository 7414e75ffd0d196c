"""The coordinate check: whether activations change alike at every width (Yang et al. 2021, D.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

# A model of this width and seed, and its optimizer.
Make = Callable[[int, int], tuple[nn.Module, torch.optim.Optimizer]]


@dataclass(frozen=True)
class Coordinates:
    """Mean absolute change of the activations of each part after some steps, by width."""

    widths: tuple[int, ...]
    changes: Mapping[str, tuple[float, ...]]

    @property
    def slopes(self) -> dict[str, float]:
        """Of the logarithm of the change over that of the width; 0 if the width does not matter."""
        widths = np.log2(self.widths)
        return {
            part: float(np.polyfit(widths, np.log2(changes), 1)[0])
            for part, changes in self.changes.items()
        }


def coordinate_check(
    make: Make, parts: Sequence[str], batches: Sequence[Tensor], widths: Sequence[int], seeds: int
) -> Coordinates:
    """Train at each width on the same batches of tokens; compare the last batch before and after.

    ``parts`` name modules; the model's logits are added. Means over seeds are geometric.
    """
    found: dict[str, list[float]] = {}
    for width in widths:
        logs = [_changes(*make(width, seed), parts, batches) for seed in range(seeds)]
        for part in logs[0]:
            mean = float(np.exp(np.mean([np.log(log[part]) for log in logs])))
            found.setdefault(part, []).append(mean)
    return Coordinates(tuple(widths), {part: tuple(values) for part, values in found.items()})


def _changes(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    parts: Sequence[str],
    batches: Sequence[Tensor],
) -> dict[str, float]:
    before = _activations(model, parts, batches[-1])
    for batch in batches[:-1]:
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    after = _activations(model, parts, batches[-1])
    return {part: float((after[part] - before[part]).abs().mean()) for part in before}


def _activations(model: nn.Module, parts: Sequence[str], batch: Tensor) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}

    def note(part: str) -> Callable[[nn.Module, object, Tensor | tuple[Tensor, ...]], None]:
        def hook(module: nn.Module, given: object, result: Tensor | tuple[Tensor, ...]) -> None:
            found[part] = (result if isinstance(result, Tensor) else result[0]).detach()

        return hook

    modules = dict(model.named_modules())
    handles = [modules[part].register_forward_hook(note(part)) for part in parts]
    with torch.no_grad():
        found["logits"] = model(input_ids=batch).logits
    for handle in handles:
        handle.remove()
    return found
