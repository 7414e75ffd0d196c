"""What was aimed at, beside what was reached."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from cost_pairs import CLOSED, COUNTS, PILOT, TIMED, TIMES, TRACED, Pair


@dataclass(frozen=True)
class Reached:
    """A line of the table: ``met`` is None where nothing was measured."""

    what: str
    aim: str
    got: str
    met: bool | None


def targets(pairs: Sequence[Pair], speeds: Mapping[str, float]) -> Iterator[str]:
    yield "## Targets"
    yield ""
    yield "| what | aim | reached | |"
    yield "|---|---|---|---|"
    for line in _lines(pairs, speeds):
        sign = {True: "met", False: "**missed**", None: "not measured"}[line.met]
        yield f"| {line.what} | {line.aim} | {line.got} | {sign} |"
    yield ""


def _lines(pairs: Sequence[Pair], speeds: Mapping[str, float]) -> Iterator[Reached]:
    closed = [pair for pair in pairs if pair.tier == CLOSED]
    flops = _of(closed, "train.flops")
    known = [pair for pair in flops if pair.known]
    yield _mape("training FLOPs, rows and epochs known", known, 0.1)
    yield _mape("training FLOPs, all cases", flops, 0.1)
    requests = _of(closed, "inference.flops")
    yield _mape("FLOPs of a request, depth known", [p for p in requests if p.known], 0.1)
    yield _mape("FLOPs of a request, all cases", requests, 0.1)
    yield _mape("peak of tensors, closed form", _of(closed, "tensor.peak"), 4.0)
    traced = [pair for pair in pairs if pair.tier == TRACED]
    yield _mape("peak of tensors, traced", _of(traced, "tensor.peak"), 1.5)
    yield _mape("file", _of(closed, "model.size"), 0.5)
    yield _share("train.memory under its upper bound", _of(closed, "train.memory"), 95.0)
    yield from _times(pairs)
    yield from _orders(closed)
    yield from _coverage(closed)
    yield from _budgets(closed)
    for name, speed in speeds.items():
        yield Reached(f"recipes {name} a second", "≥ 5,000", f"{speed:,.0f}", speed >= 5000)


def _times(pairs: Sequence[Pair]) -> Iterator[Reached]:
    for tier in (CLOSED, TIMED):
        steps = [p for p in pairs if p.tier == tier and p.quantity == "step.cpu"]
        yield _mape(f"time of a step, {tier}", steps, 10.0)
        yield _p90(f"time of a step, {tier}", steps, 20.0)
    piloted = [p for p in pairs if p.tier == PILOT and p.quantity == "run.cpu"]
    yield _mape("whole run, after a pilot", piloted, 5.0)
    for compute, aim in (("float32", 8.0), ("int8", 10.0), ("exported", 10.0)):
        for tier in (CLOSED, TIMED):
            found = [
                p
                for p in pairs
                if p.quantity == "inference.latency" and (p.tier, p.compute) == (tier, compute)
            ]
            yield _mape(f"latency, {compute}, {tier}", found, aim)


def _orders(closed: Sequence[Pair]) -> Iterator[Reached]:
    from cost_tables import tau

    for quantity in ("train.flops", "train.memory", "run.cpu", "inference.latency"):
        found = _of(closed, quantity)
        models = sorted({pair.model for pair in found})
        groups = [[p for p in found if p.model == model] for model in models]
        taus = [tau(group) for group in groups if len(group) > 2]
        got = f"{mean(taus):.2f}" if taus else "–"
        met = mean(taus) >= 0.9 if taus else None
        yield Reached(f"order by {quantity}, mean τ of the models", "≥ 0.9", got, met)


def _coverage(closed: Sequence[Pair]) -> Iterator[Reached]:
    for quantity in (*COUNTS, *TIMES):
        found = [pair for pair in _of(closed, quantity) if pair.low < pair.high]
        if found and quantity in ("train.memory", "inference.memory", *TIMES):
            inside = 100 * mean(p.low <= p.measured <= p.high for p in found)
            what = f"80 % ranges of {quantity} that hold"
            yield Reached(what, "75–85 %", f"{inside:.0f} %", 75 <= inside <= 85)


def _budgets(closed: Sequence[Pair]) -> Iterator[Reached]:
    """Limits are what other cases of the model took; a plan is kept if its whole range is below."""
    for quantity, aim in (("train.memory", 2.0), ("run.cpu", 10.0)):
        found = _of(closed, quantity)
        kept = broken = 0
        for pair in found:
            for other in found:
                if other.model == pair.model and other is not pair and pair.high <= other.measured:
                    kept += 1
                    broken += pair.measured > other.measured
        share = 100 * broken / kept if kept else math.nan
        what = f"plans kept by a limit on {quantity} that break it"
        yield Reached(what, f"< {aim:.0f} %", f"{share:.1f} %", share < aim if kept else None)


def _of(pairs: Sequence[Pair], quantity: str) -> list[Pair]:
    return [pair for pair in pairs if pair.quantity == quantity]


def _mape(what: str, pairs: Sequence[Pair], aim: float) -> Reached:
    if not pairs:
        return Reached(what, f"MAPE ≤ {aim:g} %", "–", None)
    got = 100 * mean(abs(pair.error) for pair in pairs)
    return Reached(what, f"MAPE ≤ {aim:g} %", f"{got:.2f} % ({len(pairs)} cases)", got <= aim)


def _p90(what: str, pairs: Sequence[Pair], aim: float) -> Reached:
    if not pairs:
        return Reached(what, f"p90 ≤ {aim:g} %", "–", None)
    errors = sorted(abs(pair.error) for pair in pairs)
    got = 100 * errors[math.ceil(0.9 * len(errors)) - 1]
    return Reached(what, f"p90 ≤ {aim:g} %", f"{got:.1f} %", got <= aim)


def _share(what: str, pairs: Sequence[Pair], aim: float) -> Reached:
    if not pairs:
        return Reached(what, f"≥ {aim:g} %", "–", None)
    got = 100 * mean(pair.measured <= pair.high for pair in pairs)
    return Reached(what, f"≥ {aim:g} %", f"{got:.0f} % ({len(pairs)} cases)", got >= aim)
