"""Fit the exits of a trained model whose layers stay as they are."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import Training, encode_training

from .model import EarlyExitModel

if TYPE_CHECKING:
    from effauto import Context

# Of the mean loss, for the squares of weights on features of spread 1.
PENALTY = 1e-2
STEPS = 60


def fit_exits(model: EarlyExitModel, rows: int, context: Context) -> EarlyExitModel:
    """Fit each exit to the labels of at most ``rows`` training examples, read once."""
    model = model.to(context.device).eval()
    examples = context.examples
    chosen = range(len(examples))
    if len(examples) > rows:
        examples = examples.select(random.Random(context.seed).sample(chosen, rows))
    features = _features(model, examples, context)
    targets = torch.tensor(examples.targets)
    for place, (exit, read) in enumerate(zip(model.exits, features, strict=True)):
        context.report("fitting exits", place / len(features))
        fit_linear(exit, read, targets)
    return model


@torch.no_grad()
def _features(model: EarlyExitModel, examples: Any, context: Context) -> list[Tensor]:
    """(rows, feature_width) on the CPU, at each exit."""
    encoded = encode_training(model, examples, Training(), context)
    by_length = sorted(range(len(encoded)), key=lambda row: encoded[row].length)
    size = Training().batch_size
    batches = [by_length[start : start + size] for start in range(0, len(by_length), size)]
    found: list[list[Tensor]] = [[] for _ in model.places]
    for batch in batches:
        arrays = context.pad([encoded[row] for row in batch])
        inputs = {name: torch.from_numpy(a).to(context.device) for name, a in arrays.items()}
        with context.counting("exits", inputs["input_ids"].numel()):
            for kept, read in zip(found, features_at_exits(model, inputs), strict=True):
                kept.append(read.float().cpu())
    back = torch.tensor(by_length).argsort()
    return [torch.cat(kept)[back] for kept in found]


def features_at_exits(model: EarlyExitModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """What each exit sees of a batch that goes all the way."""
    seen: list[Tensor] = []

    def see(layer: nn.Module, args: Any, output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        seen.append(model.read(states, inputs["attention_mask"]))

    handles = [model.layers[place].register_forward_hook(see) for place in model.places]
    model.encoder(**inputs)
    for handle in handles:
        handle.remove()
    return seen


def fit_linear(linear: nn.Module, features: Tensor, targets: Tensor) -> None:
    """Multinomial logistic regression on standardised features, the scaling folded in."""
    mean, spread = features.mean(dim=0), features.std(dim=0, correction=0) + 1e-6
    scaled = (features - mean) / spread
    weight = torch.zeros(linear.weight.shape, requires_grad=True)  # type: ignore[arg-type]
    bias = torch.zeros(len(weight), requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        found = nn.functional.cross_entropy(scaled @ weight.T + bias, targets)
        found = found + PENALTY / 2 * weight.square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    solver.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        linear.weight.copy_(weight / spread)  # type: ignore[operator]
        linear.bias.copy_(bias - weight / spread @ mean)  # type: ignore[operator]
