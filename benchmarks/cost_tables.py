"""The tables of ``costs.py``: how far estimates are from what was measured, and rivals'."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean, median
from typing import Any

from effauto.composition import compose
from effauto.cost import estimate, flops, learn_corrections, memory
from effauto.cost.time import train_seconds
from effauto.machine import Hardware
from effauto.method import Method
from effauto.plugins import load_plugins
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import BASELINE, Workload

UNITS = {"train.flops": "1", "inference.flops": "1", "model.parameters": "1"}
COUNTS = (
    "train.flops", "tensor.peak", "train.memory", "inference.flops", "inference.memory",
    "model.size", "model.parameters",
)  # fmt: skip
TIMES = ("train.time", "step.cpu", "inference.latency", "inference.throughput")
WORST = 10


@dataclass(frozen=True)
class Pair:
    """One quantity of one case: foretold by a tier with its range, and measured."""

    quantity: str
    tier: str
    case: str
    model: str
    methods: tuple[str, ...]
    low: float
    value: float
    high: float
    measured: float

    @property
    def error(self) -> float:
        return self.value / self.measured - 1.0


@dataclass(frozen=True)
class Rival:
    """Another rule for a quantity: what it says of a case's work."""

    name: str
    quantity: str
    of: Callable[[Workload, Workload, Hardware], float]


def _textbook(work: Workload, untouched: Workload, hardware: Hardware) -> float:
    found = memory.train_tensors(work)
    return found.weights + found.gradients + found.optimizer + found.activations


def _six(work: Workload, untouched: Workload, hardware: Hardware) -> float:
    """All numbers, word embeddings too, as the rule is often used."""
    return 6.0 * untouched.parameters * work.examples * work.train_tokens * work.forward_passes


def _peak(work: Workload, untouched: Workload, hardware: Hardware) -> float:
    return flops.train_flops(work) / hardware.rates["matmul.float32"].value


RIVALS = (
    Rival("accelerate's rule: 4 × weights", "train.memory",
          lambda work, untouched, hardware: 4 * 4.0 * untouched.parameters),
    Rival("textbook: P + G + O + A", "tensor.peak", _textbook),
    Rival("6 · N · D", "train.flops", _six),
    Rival("FLOPs over peak", "train.time", _peak),
)  # fmt: skip


def document(
    counted: Sequence[Mapping[str, Any]],
    timed: Sequence[Mapping[str, Any]],
    machine: Mapping[str, Any],
) -> str:
    """``docs/benchmarks.md``: estimates are made anew, measurements are those of the rows."""
    hardware, methods = Hardware.from_json(machine), load_plugins().methods()
    rows = [row for row in (*counted, *timed) if not row["failed"]]
    failed = len(counted) + len(timed) - len(rows)
    pairs = [pair for row in rows for pair in _pairs(row, methods, hardware)]
    lines = [
        "# Costs, foretold and measured",
        "",
        "Written by `python benchmarks/costs.py`; each case is a line of `benchmarks/measured/`",
        "`costs.jsonl` (what was counted) or `costs.times.jsonl` (what was timed).",
        f"{len(counted)} counted, {len(timed)} timed, {failed} of these failed; "
        f"on {hardware.processor}, {hardware.threads} threads.",
        "",
        *_errors(pairs),
        *_ranks(pairs),
        *_held_out(pairs),
        *_rivals(rows, methods, hardware, pairs),
        *_speed(rows, methods, hardware),
        *_worst(pairs),
    ]
    return "\n".join(lines) + "\n"


def _works(
    row: Mapping[str, Any], methods: Mapping[str, Method], hardware: Hardware
) -> tuple[Workload, Workload]:
    """The work of the row's recipe, and of the empty one."""
    task, model = TaskTraits.from_json(row["task"]), ModelTraits.from_json(row["traits"])
    untouched = work = Workload.untouched(task, model)
    recipe = Recipe.from_json(row["case"]["recipe"])
    for method, setting in compose(recipe, methods, task, model, hardware).steps:
        work = method.cost(work, setting)
    return work, untouched


def _pairs(
    row: Mapping[str, Any], methods: Mapping[str, Method], hardware: Hardware
) -> Iterator[Pair]:
    work, _ = _works(row, methods, hardware)
    figures = estimate(work, hardware)
    foretold = {name: [f.low, f.value, f.high] for name, f in figures.items()}
    foretold["tensor.peak"] = [memory.train_tensors(work).peak] * 3
    steps = work.forward_passes * math.ceil(work.examples / max(1.0, work.batch_size))
    alone = train_seconds(work, hardware).scaled(1.0 / max(1.0, steps))
    foretold["step.cpu"] = [alone.low, alone.value, alone.high]
    case = row["case"]
    name = f"{case['number']}: {case['model']}, {case['tokens']} tokens × {case['rows']}, " + (
        " + ".join(row["methods"]) or "untouched"
    )
    for tier, found in ({"closed form": foretold} | row["tiers"]).items():
        for quantity, measured in row["measured"].items():
            if quantity in (*COUNTS, *TIMES) and quantity in found and measured > 0:
                yield Pair(
                    quantity, tier, name, case["model"], tuple(row["methods"]),
                    *found[quantity], measured,
                )  # fmt: skip


def _of(pairs: Iterable[Pair], **wanted: str) -> list[Pair]:
    return [p for p in pairs if all(getattr(p, name) == value for name, value in wanted.items())]


def _errors(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "## Errors"
    yield ""
    yield "Absolute errors in per cent of the measured value; `bias` is the mean error with its"
    yield "sign; `in range` is how many lie in the stated 80 % range, `above` how many exceed it."
    yield ""
    yield "| quantity | tier | cases | MAPE | median | p90 | max | bias | in range | above |"
    yield "|---" * 10 + "|"
    for quantity in (*COUNTS, *TIMES):
        for tier in dict.fromkeys(pair.tier for pair in pairs):
            if found := _of(pairs, quantity=quantity, tier=tier):
                yield f"| {quantity} | {tier} | {len(found)} | {_summary(found)} |"
    yield ""


def _summary(pairs: Sequence[Pair]) -> str:
    errors = sorted(abs(pair.error) for pair in pairs)
    inside = mean(pair.low <= pair.measured <= pair.high for pair in pairs)
    above = mean(pair.measured > pair.high for pair in pairs)
    p90 = errors[math.ceil(0.9 * len(errors)) - 1]
    shown = [_percent(e) for e in (mean(errors), median(errors), p90, errors[-1])]
    bias = f"{100 * mean(pair.error for pair in pairs):+.2f}"
    ranged = pairs[0].low < pairs[0].high
    last = [f"{100 * inside:.0f}", f"{100 * above:.0f}"] if ranged else ["–", "–"]
    return " | ".join([*shown, bias, *last])


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _ranks(pairs: Sequence[Pair]) -> Iterator[str]:
    """Whether cheaper recipes are foretold to be cheaper, model by model."""
    from scipy.stats import kendalltau

    yield "## Order"
    yield ""
    yield "Kendall's τ between foretold and measured costs of the cases of one model."
    yield ""
    models = sorted({pair.model for pair in pairs})
    yield f"| quantity | tier | {' | '.join(models)} |"
    yield "|---" * (2 + len(models)) + "|"
    for quantity in (*COUNTS, *TIMES):
        for tier in dict.fromkeys(pair.tier for pair in _of(pairs, quantity=quantity)):
            cells = []
            for model in models:
                found = _of(pairs, quantity=quantity, tier=tier, model=model)
                tau = kendalltau([p.value for p in found], [p.measured for p in found])
                cells.append(f"{tau.statistic:.2f}" if len(found) > 2 else "–")
            yield f"| {quantity} | {tier} | {' | '.join(cells)} |"
    yield ""


def _held_out(pairs: Sequence[Pair]) -> Iterator[str]:
    """What corrections, learnt from other models or without a method, do for what was left out."""
    yield "## Corrected by what others taught"
    yield ""
    yield "MAPE of the closed form for each model (method), multiplied by the factor that"
    yield "`learn_corrections` learns from all cases of other models (without the method)."
    yield ""
    yield "| left out | quantity | cases | as foretold | corrected |"
    yield "|---|---|---|---|---|"
    closed = _of(pairs, tier="closed form")
    for model in sorted({pair.model for pair in closed}):
        yield from _left_out(model, closed, partial(_is_of, model))
    for method in sorted({method for pair in closed for method in pair.methods}):
        yield from _left_out(method, closed, partial(_has, method))
    yield ""


def _is_of(model: str, pair: Pair) -> bool:
    return pair.model == model


def _has(method: str, pair: Pair) -> bool:
    return method in pair.methods


def _left_out(name: str, pairs: Sequence[Pair], is_out: Callable[[Pair], bool]) -> Iterator[str]:
    for quantity in ("train.flops", "tensor.peak", "train.memory", "train.time", "step.cpu"):
        all_of = _of(pairs, quantity=quantity)
        out = [pair for pair in all_of if is_out(pair)]
        rest = [(quantity, p.value, p.measured) for p in all_of if not is_out(p)]
        if not out or not rest:
            continue
        factor = learn_corrections(rest)[quantity].factor
        before = mean(abs(pair.error) for pair in out)
        after = mean(abs(factor * pair.value / pair.measured - 1.0) for pair in out)
        shown = f"{_percent(before)} | {_percent(after)}"
        yield f"| {name} | {quantity} | {len(out)} | {shown} |"


def _rivals(
    rows: Sequence[Mapping[str, Any]],
    methods: Mapping[str, Method],
    hardware: Hardware,
    pairs: Sequence[Pair],
) -> Iterator[str]:
    yield "## Rivals"
    yield ""
    yield "Other rules on the same cases, where they say anything. Energy is not here: this machine"
    yield "has no counter, so neither ours nor codecarbon's can be judged on it."
    yield ""
    yield "| rule | quantity | cases | MAPE | max | MAPE of the closed form |"
    yield "|---" * 6 + "|"
    for rival in RIVALS:
        told = [row for row in rows if row["measured"].get(rival.quantity)]
        if not told:
            continue
        works = [_works(row, methods, hardware) for row in told]
        errors = [
            abs(rival.of(work, untouched, hardware) / row["measured"][rival.quantity] - 1.0)
            for row, (work, untouched) in zip(told, works, strict=True)
        ]
        ours = _of(pairs, quantity=rival.quantity, tier="closed form")
        yield (
            f"| {rival.name} | {rival.quantity} | {len(told)} | {_percent(mean(errors))} "
            f"| {_percent(max(errors))} | {_percent(mean(abs(p.error) for p in ours))} |"
        )
    yield ""


def _speed(
    rows: Sequence[Mapping[str, Any]], methods: Mapping[str, Method], hardware: Hardware
) -> Iterator[str]:
    """How many recipes a second the closed form foretells, their legality not counted."""
    works = [_works(row, methods, hardware)[0] for row in rows]
    start, count = time.process_time(), 0
    while works and time.process_time() - start < 1.0:
        for work in works:
            estimate(work, hardware)
        count += len(works)
    yield "## Speed"
    yield ""
    yield f"The closed form made {count / (time.process_time() - start):.0f} estimates a second"
    yield f"of CPU time. Untouched training: {BASELINE.epochs} epochs, batch {BASELINE.batch_size}."
    yield ""


def _worst(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "## Misses"
    yield ""
    yield f"The {WORST} largest errors of the closed form for each quantity."
    for quantity in (*COUNTS, *TIMES):
        found = _of(pairs, quantity=quantity, tier="closed form")
        if not found:
            continue
        unit = UNITS.get(quantity, "byte" if quantity in COUNTS else "s")
        yield ""
        yield f"### {quantity}"
        yield ""
        yield "| case | foretold | measured | error, % |"
        yield "|---|---|---|---|"
        for pair in sorted(found, key=lambda pair: -abs(pair.error))[:WORST]:
            shown = f"{show(pair.value, unit)} | {show(pair.measured, unit)}"
            yield f"| {pair.case} | {shown} | {100 * pair.error:+.2f} |"
