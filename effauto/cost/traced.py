"""Figures from a trace: what was counted, divided by the rates of a machine.

What a trace left out, or followed at another length, is taken from the closed form: a figure is
multiplied by the ratio of what that foretells for the whole work and for the work that was traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from effauto.cost.estimate import estimate
from effauto.cost.memory import SERVING_BATCH, resident, serving, train_peak
from effauto.cost.ranges import NOTHING, Range, exact, larger, seconds
from effauto.cost.time import UPDATE_SLOWNESS, on_one_core
from effauto.cost.trace import Counted, Trace
from effauto.hardware.products import SAMPLES, Times
from effauto.machine import Hardware
from effauto.resources import RESOURCES, Figure, Tier
from effauto.workload import TOKENISE_SECONDS, Workload

# Calls that take as long as what Python does around an operator: where modules are called, and
# where a backward pass and an optimizer call most.
FORWARD_CALLS, STEP_CALLS = 3.3, 1.8
# Products of many small matrices against those of the rate, where they were not timed.
ATTENTION_SLOWNESS = 1.5
# How much longer a kind takes than a number of the machine's rate, where it was not timed. One
# thread of Zen 4, torch 2.13, tensors that lie in no cache.
SLOWNESS: Mapping[str, float] = {
    "pointwise": 1.5,
    "copy": 1.5,
    "dropout": 19.0,
    "gelu": 2.5,
    "gelu_backward": 3.0,
    "softmax": 1.9,
}
# How far the sum of parts is from a step: products timed at their shapes, or by a rate.
TIMED_ERROR, RATED_ERROR = Range(0.93, 1.08, 1.25), Range(0.75, 1.0, 1.35)
BATCH_PADDING = Range(1.0, 1.1, 1.5)


def traced(
    trace: Trace,
    work: Workload,
    hardware: Hardware,
    *,
    basis: Workload | None = None,
    timed: Times | None = None,
) -> dict[str, Figure]:
    """Return figures for the resources that a trace tells of.

    ``work`` is that of the whole recipe, ``basis`` that of the methods which the trace followed
    (by default all of them). ``timed`` has seconds of products and samples of this machine; with
    all of the trace's products among them, the tier of times is ``calibrated``.
    """
    reading = _Reading(trace, work, hardware, basis or work, timed or {})
    return reading.figures()


def peak_of(trace: Trace, work: Workload, basis: Workload, hardware: Hardware) -> float | None:
    """The most bytes in tensors at once while ``work`` is done; None if no step was followed."""
    if trace.step is None:
        return None
    return _Reading(trace, work, hardware, basis, {})._peak(trace.step)


def seconds_of(counted: Counted, hardware: Hardware, timed: Times, *, calls: float) -> Range:
    """How long one step or one batch takes; ``calls`` is what a dispatch costs with Python's part.

    A GPU computes while the host calls the next operators; a CPU does one after the other.
    """
    computing = _products(counted, hardware, timed) + _numbers(counted, hardware, timed)
    calling = seconds(calls * counted.calls, hardware.rates["dispatch"])
    return larger(computing, calling) if hardware.device == "cuda" else computing + calling


def _products(counted: Counted, hardware: Hardware, timed: Times) -> Range:
    total, rest = NOTHING, counted.flops
    for product, count in counted.products.items():
        rest -= count * product.flops
        if product in timed:
            total += Range(*timed[product]).scaled(count)
        else:
            rate = hardware.rates.get(f"matmul.{product.dtype}", hardware.rates["matmul.float32"])
            slowness = ATTENTION_SLOWNESS if product.batch > 1 else 1.0
            total += seconds(slowness * count * product.flops, rate)
    return total + seconds(max(0.0, rest), hardware.rates["matmul.float32"])


def _numbers(counted: Counted, hardware: Hardware, timed: Times) -> Range:
    total = NOTHING
    for kind, count in counted.numbers.items():
        sample = SAMPLES.get(kind)
        if kind == "optimizer":
            total += seconds(UPDATE_SLOWNESS * count, hardware.rates["optimizer"])
        elif sample is not None and sample in timed:
            total += Range(*timed[sample]).scaled(count / (sample.m * sample.n))
        else:
            slowness = SLOWNESS.get(kind, 1.0)
            total += seconds(slowness * count, hardware.rates["elementwise"])
    return total


@dataclass(frozen=True)
class _Reading:
    trace: Trace
    work: Workload
    hardware: Hardware
    basis: Workload
    timed: Times

    def figures(self) -> dict[str, Figure]:
        request, batch = self.trace.request, self.trace.batch
        found = {
            "inference.flops": exact(request.flops),
            "inference.memory": self._serving(batch),
            "inference.latency": self._answering(request, 0.0),
            "inference.throughput": self._throughput(),
            "model.size": self._size(),
            "model.parameters": exact(self.trace.parameters),
            **self._training(),
        }
        ratios = self._ratios()
        return {
            name: self._figure(name, value.scaled(ratios.get(name, 1.0)))
            for name, value in found.items()
        }

    def _training(self) -> dict[str, Range]:
        step = self.trace.step
        if step is None:
            return {}
        error = TIMED_ERROR if self._all_timed else RATED_ERROR
        one = error * seconds_of(step, self.hardware, self.timed, calls=STEP_CALLS)
        steps = self.trace.epochs * self.basis.examples / max(1, self.trace.batch_size)
        return {
            "train.time": one.scaled(steps) + on_one_core(self.basis.host_seconds, self.hardware),
            "train.memory": resident(self._peak(step), self.work, self.hardware.device),
            "train.flops": exact(step.flops * steps),
        }

    def _peak(self, step: Counted) -> float:
        """Of the whole work: what is done before may take more, and a batch may not be full."""
        rows = max(self.basis.examples, float(self.trace.batch_size))
        followed = replace(self._as_traced(), examples=rows, batch_size=self.trace.batch_size)
        return step.peak_bytes * train_peak(self.work) / train_peak(followed)

    def _answering(self, counted: Counted, others: float) -> Range:
        """Seconds of one batch; ``others`` are its requests beyond the first."""
        error = TIMED_ERROR if self._all_timed else RATED_ERROR
        around = self.basis.request_seconds + others * TOKENISE_SECONDS * self.basis.request_tokens
        network = seconds_of(counted, self.hardware, self.timed, calls=FORWARD_CALLS)
        return error * network + on_one_core(around, self.hardware)

    def _serving(self, batch: Counted) -> Range:
        weights = self.trace.saved_bytes
        passing = max(0.0, batch.peak_bytes - weights)
        return serving(weights, passing, self.basis, self.hardware.device)

    def _throughput(self) -> Range:
        taken = BATCH_PADDING * self._answering(self.trace.batch, SERVING_BATCH - 1.0)
        return taken.inverse().scaled(SERVING_BATCH)

    def _size(self) -> Range:
        """Tensors are counted as they stand; zeros are packed when they are saved."""
        dense = estimate(replace(self.basis, density=1.0), self.hardware)["model.size"].value
        packing = estimate(self.basis, self.hardware)["model.size"].value / dense
        return exact(self.trace.saved_bytes * packing + self.basis.folder_bytes)

    def _ratios(self) -> dict[str, float]:
        """By how much the whole work costs more than what was traced, as the closed form says."""
        whole = estimate(self.work, self.hardware)
        followed = estimate(self._as_traced(), self.hardware)
        return {
            name: whole[name].value / figure.value
            for name, figure in followed.items()
            if figure.value > 0 and name != "train.memory"  # which is of the whole work already
        }

    def _as_traced(self) -> Workload:
        step, request = self.trace.step, self.trace.request
        work = replace(
            self.basis,
            request_tokens=float(request.tokens),
            request_padding=1.0,
            extra_train_flops=0.0,
            before=(),
            base=None,
        )
        if step is None:
            return work
        beside = self.basis.prepended * self.basis.inputs  # is no part of a batch's word pieces
        tokens = step.tokens / max(1, self.trace.batch_size) + beside
        return replace(work, train_tokens=tokens, longest_tokens=tokens, unevenness=1.0)

    @property
    def _all_timed(self) -> bool:
        return bool(self.timed) and self.trace.products <= self.timed.keys()

    def _figure(self, name: str, found: Range) -> Figure:
        is_time = name in ("train.time", "inference.latency", "inference.throughput")
        tier: Tier = "calibrated" if is_time and self._all_timed else "traced"
        return found.figure(RESOURCES[name].unit, tier, "; ".join(self.trace.notes))
