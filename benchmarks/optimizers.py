"""How long a step of each optimizer takes over one of AdamW, on one thread.

    python benchmarks/optimizers.py

Steps are of a six-layer encoder, 384 wide, in turns and in processor time, so that little is owed
to what else the machine does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch
from transformers import BertConfig, BertModel

from effauto import Choice
from effauto.execution.training import MakeOptimizer, Training, adamw
from effauto.plugins import load_plugins

ROUNDS = 15


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    steps = {name: step_of(make) for name, make in optimizers()}
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.process_time()
            step()
            spent[name].append(time.process_time() - started)
    usual = median(spent["adamw"])
    for name, seconds in spent.items():
        print(f"{name:24} {1e3 * median(seconds):8.1f} ms   ×{median(seconds) / usual:.1f}")


def optimizers() -> Iterator[tuple[str, MakeOptimizer]]:
    """AdamW as effauto and as torch by itself make it, and every kind of the method's."""
    yield "adamw", adamw
    yield "adamw, op by op", lambda groups, rate: torch.optim.AdamW(groups, lr=rate)
    method = load_plugins().methods()["optimizer"]
    context: Any = None
    kinds = method.knobs["kind"]
    assert isinstance(kinds, Choice)
    for kind in kinds.options:
        setting = {"kind": kind, "rate": 1.0}
        yield str(kind), method.train(Training(), setting, context).optimizer


def step_of(make: MakeOptimizer) -> Callable[[], object]:
    """A step of it on weights of their own."""
    config = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    weights = list(BertModel(config).parameters())
    for weight in weights:
        weight.grad = 1e-3 * torch.randn_like(weight)
    optimizer = make([{"params": weights, "weight_decay": 0.01}], 1e-4)
    optimizer.step()
    return optimizer.step


if __name__ == "__main__":
    main()
