"""What was foretold beside what was measured, tier by tier, from the rows of ``costs.py``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cost_cases import read_rows
from cost_works import followed_work, untouched_work

from effauto.composition import compose
from effauto.cost import estimate, memory
from effauto.cost.ranges import Range, exact
from effauto.cost.time import train_seconds
from effauto.cost.trace import Trace
from effauto.cost.traced import peak_of, traced
from effauto.hardware.products import Product, Times
from effauto.machine import Hardware
from effauto.method import Method
from effauto.planner.forecast import PILOT_ERROR
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload

MEASURED = Path(__file__).resolve().parent / "measured"
CLOSED, TRACED, TIMED, PILOT = "closed form", "traced", "traced, products timed", "pilot"
COUNTS = (
    "train.flops", "inference.flops", "tensor.peak", "train.memory", "inference.memory",
    "model.size", "model.parameters",
)  # fmt: skip
TIMES = ("step.cpu", "run.cpu", "inference.latency", "inference.throughput")
Foretold = dict[str, Range]


@dataclass(frozen=True)
class Pair:
    """One quantity of one case: foretold by a tier with its range, and measured.

    ``known`` tells whether the rows that are trained on are known before the recipe is run.
    """

    quantity: str
    tier: str
    case: str
    number: int
    model: str
    methods: tuple[str, ...]
    low: float
    value: float
    high: float
    measured: float
    known: bool
    compute: str

    @property
    def error(self) -> float:
        return self.value / self.measured - 1.0


def rows_of(what: str, seed: int) -> list[dict[str, Any]]:
    return read_rows(MEASURED / f"costs.{what}.{seed}.jsonl")


def machine() -> Hardware:
    """The machine that the times were taken on."""
    path = MEASURED / "costs.machine.json"
    return Hardware.from_json(json.loads(path.read_text(encoding="utf-8")))


def pairs_of(
    seed: int, methods: Mapping[str, Method], hardware: Hardware, adaptive: Iterable[str]
) -> list[Pair]:
    """All pairs of a seed; ``adaptive`` methods decide by what they see which rows to train on."""
    traces = {row["case"]["number"]: row for row in rows_of("traces", seed) if not row["failed"]}
    found: list[Pair] = []
    for row in rows_of("counts", seed):
        if not row["failed"]:
            trace = traces.get(row["case"]["number"])
            tiers = _counted(row, trace and trace["measured"]["trace"], methods, hardware)
            found += _paired(row, tiers, COUNTS, adaptive)
    for row in rows_of("times", seed):
        if not row["failed"]:
            compute = _runtime(followed_work(row, methods, hardware, ()))
            found += _paired(row, _timed(row, methods, hardware), TIMES, adaptive, compute)
    return found


def _paired(
    row: Mapping[str, Any],
    tiers: Mapping[str, Foretold],
    quantities: Sequence[str],
    adaptive: Iterable[str],
    compute: str = "",
) -> Iterator[Pair]:
    case = row["case"]
    name = f"{case['number']}: {case['model']}, {case['tokens']} tokens × {case['rows']}, " + (
        " + ".join(row["methods"]) or "untouched"
    )
    for tier, foretold in tiers.items():
        for quantity in quantities:
            measured = row["measured"].get(quantity, 0.0)
            if quantity in foretold and measured > 0:
                one = foretold[quantity]
                yield Pair(
                    quantity, tier, name, case["number"], case["model"], tuple(row["methods"]),
                    one.low, one.value, one.high, measured,
                    known=not set(adaptive) & set(row["methods"]),
                    compute=compute,
                )  # fmt: skip


def _counted(
    row: Mapping[str, Any],
    trace: Mapping[str, Any] | None,
    methods: Mapping[str, Method],
    hardware: Hardware,
) -> dict[str, Foretold]:
    work = followed_work(row, methods, hardware, ())
    closed = _ranges(estimate(work, hardware)) | {"tensor.peak": exact(memory.train_peak(work))}
    if trace is None:
        return {CLOSED: closed}
    return {CLOSED: closed, TRACED: _followed(row, trace, work, methods, hardware, {})}


def _timed(
    row: Mapping[str, Any], methods: Mapping[str, Method], hardware: Hardware
) -> dict[str, Foretold]:
    work = followed_work(row, methods, hardware, ())
    found = _ranges(estimate(work, hardware))
    found |= {"step.cpu": _one_step(work, hardware), "run.cpu": found["train.time"]}
    measured = row["measured"]
    timed = {Product(*one): tuple(times) for one, times in measured["products"]}
    tiers = {CLOSED: found}
    for name, times in ((TRACED, {}), (TIMED, timed)):
        if name == TRACED or times:
            tiers[name] = _followed(row, measured["trace"], work, methods, hardware, times)
    if "left" in measured:
        left = measured["left"] + _afterwards(row, work, methods, hardware)
        tiers[PILOT] = {"run.cpu": exact(measured["seen"]) + PILOT_ERROR.scaled(left)}
    return tiers


def _runtime(work: Workload) -> str:
    """What answers requests: an exported graph calls a fraction of eager torch's operators."""
    return "exported" if work.export_bytes else work.compute


def _followed(
    row: Mapping[str, Any],
    trace: Mapping[str, Any],
    work: Workload,
    methods: Mapping[str, Method],
    hardware: Hardware,
    timed: Times | Mapping[Any, Any],
) -> Foretold:
    """Figures of a trace, as ``effauto plan`` makes them."""
    found = Trace.from_json(trace)
    basis = followed_work(row, methods, hardware, found.skipped)
    ranges = _ranges(traced(found, work, hardware, basis=basis, timed=timed))
    peak = peak_of(found, work, basis, hardware)
    if peak is not None:
        ranges["tensor.peak"] = exact(peak)
        ranges["run.cpu"] = ranges["train.time"]
        share = _one_step(work, hardware).value / train_seconds(work, hardware).value
        ranges["step.cpu"] = ranges["train.time"].scaled(share)
    return ranges


def _one_step(work: Workload, hardware: Hardware) -> Range:
    """Of the training alone, without what comes before or is done once."""
    alone = replace(work, before=(), host_seconds=0.0, extra_train_flops=0.0)
    steps = work.backward_passes * math.ceil(work.examples / max(1.0, work.batch_size))
    return train_seconds(alone, hardware).scaled(1.0 / max(1.0, steps))


def _afterwards(
    row: Mapping[str, Any], work: Workload, methods: Mapping[str, Method], hardware: Hardware
) -> float:
    """Seconds that methods take once training is over, by the closed form."""
    task, model = TaskTraits.from_json(row["task"]), ModelTraits.from_json(row["traits"])
    recipe = Recipe.from_json(row["case"]["recipe"])
    steps = compose(recipe, methods, task, model, hardware).steps
    after = {method.name for method, _ in steps if not _trains(method)}
    trained = followed_work(row, methods, hardware, after)
    seconds = [train_seconds(one, hardware).value for one in (work, trained)]
    return max(0.0, seconds[0] - seconds[1])


def _trains(method: Method) -> bool:
    verbs = ("prepare", "build", "train")
    return any(getattr(type(method), verb) is not getattr(Method, verb) for verb in verbs)


def _ranges(figures: Mapping[str, Any]) -> Foretold:
    return {name: Range(f.low, f.value, f.high) for name, f in figures.items()}


def works_of(
    rows: Iterable[Mapping[str, Any]], methods: Mapping[str, Method], hardware: Hardware
) -> list[tuple[Mapping[str, Any], Workload, Workload]]:
    """Each row with the work of its recipe, and of the empty one."""
    return [(row, followed_work(row, methods, hardware, ()), untouched_work(row)) for row in rows]
