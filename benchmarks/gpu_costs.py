"""Compare what a GPU was measured to take with what is foretold of it: ``docs/gpu.md``.

    python benchmarks/gpu_costs.py

Reads the trials of ``benchmarks/measured/trials.jsonl`` that computed on a GPU (``methods.py`` and
``campaign.py`` make them there). Estimates are made anew, without corrections: they are those of
the code as it is. Of trials that ran beside others only what neighbours cannot disturb is kept,
so times and energy are of the few that ran alone.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from effauto.composition import compose
from effauto.cost import estimate, memory
from effauto.machine import Hardware
from effauto.method import Method
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload

HERE = Path(__file__).resolve().parent
TRIALS = HERE / "measured" / "trials.jsonl"
DOCUMENT = HERE.parent / "docs" / "gpu.md"
SHOWN = (
    "train.flops",
    "train.memory",
    "inference.flops",
    "inference.memory",
    "model.size",
    "model.parameters",
    "train.time",
    "train.energy",
    "inference.latency",
    "inference.throughput",
)
WORST = 8


@dataclass(frozen=True)
class Pair:
    """One resource of one trial."""

    resource: str
    trial: str
    foretold: Figure
    measured: float

    @property
    def error(self) -> float:
        return self.foretold.value / self.measured - 1.0

    @property
    def within(self) -> bool:
        return self.foretold.low <= self.measured <= self.foretold.high


def main() -> None:
    """Write the document."""
    entries = [json.loads(line) for line in TRIALS.read_text(encoding="utf-8").splitlines()]
    entries = [entry for entry in entries if _on_a_gpu(entry)]
    DOCUMENT.write_text("\n".join(_document(entries)) + "\n", encoding="utf-8")


def _on_a_gpu(entry: Mapping[str, Any]) -> bool:
    networks = ModelTraits.from_json(entry["model_traits"]).family != "linear"
    return networks and bool(entry["machine"]["accelerators"])


def _pairs(entries: Iterable[Mapping[str, Any]]) -> Iterator[Pair]:
    methods = load_plugins().methods()
    for entry in entries:
        foretold = _foretold(entry, methods)
        name = f"{entry['task']['name']}: {Recipe.from_json(entry['recipe'])}"
        for resource, figure in entry["measurement"].items():
            if resource in SHOWN and resource in foretold and figure["value"] > 0:
                yield Pair(resource, name, foretold[resource], figure["value"])


def _foretold(entry: Mapping[str, Any], methods: Mapping[str, Method]) -> Mapping[str, Figure]:
    return estimate(_work(entry, methods), Hardware.from_json(entry["machine"]))


def _work(entry: Mapping[str, Any], methods: Mapping[str, Method]) -> Workload:
    task, hardware = TaskTraits.from_json(entry["task"]), Hardware.from_json(entry["machine"])
    model, recipe = ModelTraits.from_json(entry["model_traits"]), Recipe.from_json(entry["recipe"])
    work = Workload.untouched(task, model)
    for method, setting in compose(recipe, methods, task, model, hardware).steps:
        work = method.cost(work, setting)
    return work.on_share(entry["fidelity"])


def _document(entries: list[dict[str, Any]]) -> Iterator[str]:
    pairs = list(_pairs(entries))
    machines = sorted({entry["machine"]["name"] for entry in entries})
    versions = entries[0]["versions"]
    yield "# Costs on a GPU, foretold and measured"
    yield ""
    yield "Written by `python benchmarks/gpu_costs.py`: trials of `benchmarks/methods.py` and"
    yield f"`benchmarks/campaign.py` on {', '.join(machines)}, with torch"
    yield f"{versions['torch']} and transformers {versions['transformers']}:"
    recipes = {str(entry["recipe"]) for entry in entries}
    yield f"{len(entries)} trials of {len(recipes)} recipes with all-MiniLM-L6-v2."
    yield ""
    yield "Errors are absolute, in per cent of what was measured; the closed form, uncorrected."
    yield "Memory is what the allocator reserved. Seconds and energy (of the GPU, by its counter,"
    yield "and of the rest of the machine, by a model) are only of trials that ran alone."
    yield ""
    yield "| resource | trials | MAPE | median | bias | in the 80 % range | above it |"
    yield "|---|---|---|---|---|---|---|"
    for resource in SHOWN:
        if found := [pair for pair in pairs if pair.resource == resource]:
            yield _row(resource, found)
    yield ""
    yield from _allocator(entries)
    yield ""
    yield "## Misses"
    yield ""
    yield f"The {WORST} recipes of each resource that were missed by most, over 10 %."
    for resource in SHOWN:
        yield from _misses([pair for pair in pairs if pair.resource == resource])


def _allocator(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What `CUDA_TRAINING` in effauto/cost/memory.py comes from, and how it does on other tasks."""
    methods, reserved = load_plugins().methods(), defaultdict[str, dict[str, float]](dict)
    for entry in entries:
        if "train.memory" in entry["measurement"]:
            live = memory.train_peak(memory.as_kept(_work(entry, methods), "cuda"))
            ratio = entry["measurement"]["train.memory"]["value"] / live
            reserved[entry["task"]["name"]][str(entry["recipe"])] = ratio
    every = [ratio for ratios in reserved.values() for ratio in ratios.values()]
    cut = quantiles(every, n=20)
    yield ""
    yield "## What the allocator reserves over the tensors of a training"
    yield ""
    yield f"Each recipe once for each task: 5th per cent {cut[0]:.2f}, median {median(every):.2f},"
    yield f"95th {cut[-1]:.2f}. The median of the other tasks' recipes, taken for a task's own, is"
    told = ", ".join(
        f"{_left_out(name, reserved):.1f} % off on {name} ({len(ratios)} recipes)"
        for name, ratios in reserved.items()
    )
    yield f"{told}, on average."


def _left_out(name: str, reserved: Mapping[str, Mapping[str, float]]) -> float:
    others = median(r for task, own in reserved.items() if task != name for r in own.values())
    return 100 * mean(abs(others / ratio - 1) for ratio in reserved[name].values())


def _row(resource: str, pairs: list[Pair]) -> str:
    errors = [abs(pair.error) for pair in pairs]
    above = mean(pair.measured > pair.foretold.high for pair in pairs)
    cells = [
        *(f"{100 * value:.1f}" for value in (mean(errors), median(errors))),
        f"{100 * mean(pair.error for pair in pairs):+.1f}",
        f"{100 * mean(pair.within for pair in pairs):.0f} %",
        f"{100 * above:.0f} %",
    ]
    return f"| {resource} | {len(pairs)} | {' | '.join(cells)} |"


def _misses(pairs: list[Pair]) -> Iterator[str]:
    worst: dict[str, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: -abs(math.log(1 + pair.error))):
        if abs(pair.error) > 0.1:
            worst.setdefault(pair.trial, pair)
    if not worst:
        return
    named = [f"{name} {100 * p.error:+.0f} %" for name, p in list(worst.items())[:WORST]]
    yield ""
    yield f"- **{pairs[0].resource}**: {'; '.join(named)}."


if __name__ == "__main__":
    main()
