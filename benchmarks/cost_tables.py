"""The tables of ``costs.py``: how far estimates are from what was measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

from cost_pairs import (
    CLOSED,
    COUNTS,
    MEASURED,
    TIMES,
    Pair,
    machine,
    pairs_of,
    rows_of,
    works_of,
)
from cost_rivals import energies, rivals
from cost_targets import targets

from effauto.composition import compose
from effauto.cost import estimate, learn_corrections
from effauto.machine import Hardware
from effauto.method import Method
from effauto.plugins import load_plugins
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"
SEED = 1
UNITS = {"train.flops": "1", "inference.flops": "1", "model.parameters": "1"}
# Which rows these train on, for how long, or how deep they go, is decided by what they see.
ADAPTIVE = (
    "active-learning", "aflite", "dataset-cartography", "early-exit", "early-stopping",
    "near-dedup", "random-subset", "self-paced",
)  # fmt: skip
CORRECTED = ("train.flops", "tensor.peak", "train.memory", "run.cpu", "step.cpu")
WORST = 5


def write() -> None:
    """Put the tables between their marks in the document, or make one of them."""
    text = f"{BEGIN}\n{document()}{END}\n"
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    if BEGIN in old:
        before, _, rest = old.partition(BEGIN)
        text = before + text + rest.partition(END)[2].removeprefix("\n")
    DOCUMENT.write_text(text, encoding="utf-8")


def document() -> str:
    """Estimates are made anew; measurements are those of the rows."""
    hardware, methods = machine(), load_plugins().methods()
    pairs = pairs_of(SEED, methods, hardware, ADAPTIVE)
    counted = [row for row in rows_of("counts", SEED) if not row["failed"]]
    timed = [row for row in rows_of("times", SEED) if not row["failed"]]
    speeds = _speeds(counted, methods, hardware)
    lines = [
        "# Costs, foretold and measured",
        "",
        *_intro(hardware, len(counted), len(timed)),
        *targets(pairs, speeds),
        *_errors(pairs),
        *_ranks(pairs),
        *_held_out(pairs),
        *rivals(counted, timed, methods, hardware, pairs),
        *energies(rows_of("energy", SEED)),
        *_worst(pairs),
    ]
    return "\n".join(lines) + "\n"


def _intro(hardware: Hardware, counted: int, timed: int) -> Iterator[str]:
    failed = [row for what in ("counts", "times") for row in rows_of(what, SEED) if row["failed"]]
    yield "Written by `python benchmarks/costs.py --write` from the lines of"
    yield f"`benchmarks/measured/costs.*.{SEED}.jsonl`: random legal recipes of up to four methods"
    yield "on four models (MiniLM; DistilBERT, an eight-layer BERT and a small LLaMA with random"
    yield "weights) and made-up tasks of 16 to 256 word pieces. No constant was fitted to them, but"
    yield "their errors were looked at, and mistakes in the formulas that they showed were mended."
    yield f"{counted} cases were counted and {timed} timed, on {hardware.processor} with one"
    yield "thread. Times are processor time, on a machine that did nothing else. A step is one of"
    yield "the optimizer; what a method does on one core outside the network is no part of it."
    for row in failed:
        yield f"Case {row['case']['number']} failed: {row['failed'].partition(chr(10))[0]}."
    yield ""


def of(pairs: Iterable[Pair], **wanted: Any) -> list[Pair]:
    """The pairs whose fields are as wanted."""
    return [p for p in pairs if all(getattr(p, name) == value for name, value in wanted.items())]


def _errors(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "## Errors"
    yield ""
    yield "Absolute errors in per cent of the measured value; `bias` is the mean error with its"
    yield "sign; `in range` is how many lie in the stated range, `above` how many exceed it."
    yield ""
    yield "| quantity | tier | cases | MAPE | median | p90 | max | bias | in range | above |"
    yield "|---" * 10 + "|"
    for quantity in (*COUNTS, *TIMES):
        for tier in dict.fromkeys(pair.tier for pair in pairs):
            if found := of(pairs, quantity=quantity, tier=tier):
                yield f"| {quantity} | {tier} | {len(found)} | {_summary(found)} |"
    yield ""


def _summary(pairs: Sequence[Pair]) -> str:
    errors = sorted(abs(pair.error) for pair in pairs)
    inside = mean(pair.low <= pair.measured <= pair.high for pair in pairs)
    above = mean(pair.measured > pair.high for pair in pairs)
    p90 = errors[math.ceil(0.9 * len(errors)) - 1]
    shown = [percent(e) for e in (mean(errors), median(errors), p90, errors[-1])]
    bias = f"{100 * mean(pair.error for pair in pairs):+.2f}"
    ranged = any(pair.low < pair.high for pair in pairs)
    last = [f"{100 * inside:.0f}", f"{100 * above:.0f}"] if ranged else ["–", "–"]
    return " | ".join([*shown, bias, *last])


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def tau(pairs: Sequence[Pair]) -> float:
    """Kendall's rank correlation of what was foretold and measured."""
    from scipy.stats import kendalltau

    found = kendalltau([p.value for p in pairs], [p.measured for p in pairs])
    return float(found.statistic)


def _ranks(pairs: Sequence[Pair]) -> Iterator[str]:
    """Whether cheaper recipes are foretold to be cheaper, model by model."""
    yield "## Order"
    yield ""
    yield "Kendall's τ between foretold and measured costs of the cases of one model."
    yield ""
    models = sorted({pair.model for pair in pairs})
    yield f"| quantity | tier | {' | '.join(models)} |"
    yield "|---" * (2 + len(models)) + "|"
    for quantity in (*COUNTS, *TIMES):
        for tier in dict.fromkeys(pair.tier for pair in of(pairs, quantity=quantity)):
            groups = [of(pairs, quantity=quantity, tier=tier, model=m) for m in models]
            cells = [f"{tau(found):.2f}" if len(found) > 2 else "–" for found in groups]
            yield f"| {quantity} | {tier} | {' | '.join(cells)} |"
    yield ""


def _held_out(pairs: Sequence[Pair]) -> Iterator[str]:
    """What corrections, learnt from other models or without a method, do for what was left out."""
    yield "## Corrected by what others taught"
    yield ""
    yield "MAPE of the closed form for each model (and method), and once it is multiplied by the"
    yield "factor that `learn_corrections` learns from the cases of other models (without the"
    yield "method)."
    yield ""
    yield "| left out | quantity | cases | as foretold | corrected |"
    yield "|---|---|---|---|---|"
    closed = of(pairs, tier=CLOSED)
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
    for quantity in CORRECTED:
        all_of = of(pairs, quantity=quantity)
        out = [pair for pair in all_of if is_out(pair)]
        rest = [(quantity, p.value, p.measured) for p in all_of if not is_out(p)]
        if not out or not rest:
            continue
        factor = learn_corrections(rest)[quantity].factor
        before = mean(abs(pair.error) for pair in out)
        after = mean(abs(factor * pair.value / pair.measured - 1.0) for pair in out)
        yield f"| {name} | {quantity} | {len(out)} | {percent(before)} | {percent(after)} |"


def _speeds(
    rows: Sequence[Mapping[str, Any]], methods: Mapping[str, Method], hardware: Hardware
) -> dict[str, float]:
    """Recipes a second of processor time: foretold, and read from their methods as well."""
    works = works_of(rows, methods, hardware)
    steps = [_steps(row, methods, hardware) for row in rows]
    return {
        "foretold": _per_second([partial(estimate, work, hardware) for _, work, _ in works]),
        "read and foretold": _per_second(
            [
                partial(_read, untouched, steps, hardware)
                for (_, _, untouched), steps in zip(works, steps, strict=True)
            ]
        ),
    }


def _steps(row: Mapping[str, Any], methods: Mapping[str, Method], hardware: Hardware) -> Any:
    task, model = TaskTraits.from_json(row["task"]), ModelTraits.from_json(row["traits"])
    return compose(Recipe.from_json(row["case"]["recipe"]), methods, task, model, hardware).steps


def _read(work: Workload, steps: Any, hardware: Hardware) -> Any:
    for method, setting in steps:
        work = method.cost(work, setting)
    return estimate(work, hardware)


def _per_second(calls: Sequence[Callable[[], Any]]) -> float:
    start, count = time.process_time(), 0
    while calls and time.process_time() - start < 1.0:
        for call in calls:
            call()
        count += len(calls)
    return count / max(1e-9, time.process_time() - start)


def _worst(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "## Misses"
    yield ""
    yield f"The {WORST} largest errors of the closed form for each quantity."
    for quantity in (*COUNTS, *TIMES):
        found = of(pairs, quantity=quantity, tier=CLOSED)
        if not found:
            continue
        unit = UNITS.get(quantity, "byte" if quantity in COUNTS else "s")
        unit = "1/s" if quantity.endswith("throughput") else unit
        yield ""
        yield f"### {quantity}"
        yield ""
        yield "| case | foretold | measured | error, % |"
        yield "|---|---|---|---|"
        for pair in sorted(found, key=lambda pair: -abs(pair.error))[:WORST]:
            shown = f"{show(pair.value, unit)} | {show(pair.measured, unit)}"
            yield f"| {pair.case} | {shown} | {100 * pair.error:+.2f} |"


__all__ = ["MEASURED", "document", "write"]
