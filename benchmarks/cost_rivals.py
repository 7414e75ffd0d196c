"""Other rules for what a recipe costs, on the same cases."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

from cost_cases import write_model
from cost_pairs import CLOSED, Pair, works_of

from effauto.cost import flops, memory
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model.source import find_model
from effauto.workload import Workload


@dataclass(frozen=True)
class Rival:
    """Another rule for a quantity: what it says of a row, its work and the untouched one."""

    name: str
    quantity: str
    of: Callable[[Mapping[str, Any], Workload, Workload, Hardware], float]


def _accelerate(row: Mapping[str, Any], work: Any, untouched: Any, hardware: Any) -> float:
    return _by_accelerate(row["case"]["model"])


@lru_cache
def _by_accelerate(model: str) -> float:
    """What ``accelerate estimate-memory`` prints for training, by its own functions."""
    from accelerate import init_empty_weights
    from accelerate.commands.estimate import estimate_training_usage
    from accelerate.utils import calculate_maximum_sizes
    from transformers import AutoConfig, AutoModel

    folder = Path(tempfile.gettempdir()) / "effauto-costs"
    known = find_model(model) if model == "minilm" else find_model(str(write_model(model, folder)))
    with init_empty_weights():
        empty = AutoModel.from_config(AutoConfig.from_pretrained(known.files))
    total, _ = calculate_maximum_sizes(empty)
    return float(max(estimate_training_usage(total, "float32").values()))


def _textbook(row: Any, work: Workload, untouched: Any, hardware: Any) -> float:
    found = memory.train_tensors(work)
    return found.weights + found.gradients + found.optimizer + found.activations


def _six(row: Any, work: Workload, untouched: Workload, hardware: Any) -> float:
    """All numbers, word embeddings too, as the rule is often used."""
    return 6.0 * untouched.parameters * work.examples * work.train_tokens * work.forward_passes


def _peak(row: Any, work: Workload, untouched: Any, hardware: Hardware) -> float:
    return flops.train_flops(work) / hardware.rates["matmul.float32"].value


def _request_peak(row: Any, work: Workload, untouched: Any, hardware: Hardware) -> float:
    return flops.request_flops(work) / hardware.rates["matmul.float32"].value


RIVALS = (
    Rival("accelerate estimate-memory", "train.memory", _accelerate),
    Rival("textbook: P + G + O + A", "tensor.peak", _textbook),
    Rival("6 · N · D", "train.flops", _six),
    Rival("FLOPs over peak", "run.cpu", _peak),
    Rival("FLOPs over peak", "inference.latency", _request_peak),
)


def rivals(
    counted: Sequence[Mapping[str, Any]],
    timed: Sequence[Mapping[str, Any]],
    methods: Mapping[str, Method],
    hardware: Hardware,
    pairs: Sequence[Pair],
) -> Iterator[str]:
    yield "## Rivals"
    yield ""
    yield "Other rules on the same cases, where they say anything."
    yield ""
    yield "| rule | quantity | cases | MAPE | max | MAPE of the closed form |"
    yield "|---" * 6 + "|"
    works = works_of([*counted, *timed], methods, hardware)
    for rival in RIVALS:
        told = [found for found in works if found[0]["measured"].get(rival.quantity)]
        if not told:
            continue
        errors = [
            abs(rival.of(row, work, untouched, hardware) / row["measured"][rival.quantity] - 1.0)
            for row, work, untouched in told
        ]
        ours = [p for p in pairs if (p.quantity, p.tier) == (rival.quantity, CLOSED)]
        shown = f"{100 * mean(errors):.2f} | {100 * max(errors):.2f}"
        own = f"{100 * mean(abs(p.error) for p in ours):.2f}"
        yield f"| {rival.name} | {rival.quantity} | {len(told)} | {shown} | {own} |"
    yield ""


def energies(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each tool says one training took: there is no counter here, so this is no error."""
    if not rows:
        return
    yield "## Energy"
    yield ""
    yield "This machine has no energy counter, so nobody can be judged. What codecarbon's process"
    yield "mode (offline, defaults) and effauto say of the same trainings, in joules:"
    yield ""
    yield "| case | codecarbon | effauto, low … high |"
    yield "|---|---|---|"
    for row in rows:
        if not row["failed"]:
            told, case = row["measured"], row["case"]
            ours = f"{told['effauto'][0]:.1f} … {told['effauto'][2]:.1f}"
            yield f"| {case['number']}: {case['model']} | {told['codecarbon']:.1f} | {ours} |"
    yield ""
