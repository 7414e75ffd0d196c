"""Train for a few steps and stop: what they took foretells the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from effauto.execution.families import Values
from effauto.execution.job import Job
from effauto.execution.meter import Flops, Meter
from effauto.execution.train import Progress, opened
from effauto.method import Method

WARM_UP, TIMED = 1, 2


def pilot(job: Job, methods: Mapping[str, Method], progress: Progress) -> Values:
    """Do what training ``job.recipe`` does until a warm-up step and two more are done.

    Returns, in SI units: ``train.memory``, the peak so far; ``seconds``, that the pilot took;
    ``before``, those until the steps began to be timed; ``step``, those of a step; ``left``, those
    that the rest of the phase takes at this pace; ``done``, the share of it. A training that ends
    before so many steps is whole: ``left`` is then 0. Raises what training raises.
    """
    with opened(job, methods, progress) as trial:
        meter = trial.context.meter
        meter.flops = _Uncounted()
        watch = _Watch(meter, progress)
        trial.context.progress = watch
        try:
            trial.carry_out()
        except _EnoughSeen:
            pass
        else:
            watch.whole()
    return watch.values


class _EnoughSeen(BaseException):
    """Ends a training; no method shall mistake it for an error of its own."""


class _Uncounted(Flops):
    """Counting operations would slow the steps that are timed."""

    @contextmanager
    def step(self, kind: str, tokens: int) -> Iterator[None]:
        yield


@dataclass
class _Watch:
    """Notes when the steps of a phase end."""

    meter: Meter
    tell: Progress
    phase: str = ""
    steps: list[tuple[float, float]] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self.start = self.clock()

    def __call__(self, what: str, share: float) -> None:
        self.meter.device.wait()
        if what != self.phase or (self.steps and share <= self.steps[-1][1]):
            self.phase, self.steps = what, []
        if share > 0:
            self.steps.append((self.clock(), share))
        self.tell(f"pilot: {what}", min(1.0, len(self.steps) / (WARM_UP + TIMED)))
        if len(self.steps) == WARM_UP + TIMED:
            self.values = self._foretold()
            raise _EnoughSeen

    def _foretold(self) -> Values:
        (began, first), *_, (ended, last) = self.steps[WARM_UP - 1 :]
        return {
            "train.memory": self.meter.peak(),
            "seconds": ended - self.start,
            "before": began - self.start,
            "step": (ended - began) / TIMED,
            "left": (ended - began) / (last - first) * (1.0 - last),
            "done": last,
        }

    def whole(self) -> None:
        """Nothing is left: the training was shorter than a pilot."""
        self.meter.device.wait()
        spent = self.clock() - self.start
        self.values = {
            "train.memory": self.meter.peak(),
            "seconds": spent,
            "before": spent,
            "step": 0.0,
            "left": 0.0,
            "done": 1.0,
        }
