"""Measure in a process of its own what the worker does not: ``cost_meter.py JOB.json WHAT``.

``count`` counts every operation and the bytes of all live tensors; ``time`` takes the CPU time of
each training step, on one thread. The answer is a line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from effauto.execution import meter
from effauto.execution.context import Context
from effauto.execution.job import Job
from effauto.execution.train import train
from effauto.method import Method
from effauto.plugins import load_plugins


class LiveBytes(TorchDispatchMode):
    """Follows every storage that an operator reads or makes until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: dict[int, Any] = {}

    def follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known or not isinstance(size, int):  # an exporter's have no size
            return

        def freed(_: object) -> None:
            self.now -= size
            self._known.pop(key, None)

        self._known[key] = weakref.ref(storage, freed)
        self.now += size
        self.peak = max(self.peak, self.now)

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = operator(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, given)):
            if isinstance(leaf, Tensor):
                self.follow(leaf)
        return given


def count(job: Job, methods: Mapping[str, Method]) -> dict[str, float]:
    """Operations of the whole training, none extrapolated, and the peak of live tensors."""
    meter.COUNTED_STEPS = sys.maxsize
    peaks: list[float] = []
    stop = meter.Meter.stop

    def stop_and_note(stopped: meter.Meter) -> meter.Meter:
        peaks.append(float(live.peak))  # saving, which comes later, is not metered
        return stop(stopped)

    untouched = Context.untouched

    def load_and_follow(context: Context) -> Any:
        model = untouched(context)
        for tensor in model.state_dict().values():  # alive, although no operator reads it yet
            live.follow(tensor)
        return model

    meter.Meter.stop = stop_and_note  # type: ignore[method-assign]
    Context.untouched = load_and_follow  # type: ignore[method-assign]
    with LiveBytes() as live:
        values = train(job, methods, lambda what, share: None)
    return {"train.flops": values["train.flops"], "tensor.peak": peaks[-1]}


def clock(job: Job, methods: Mapping[str, Method]) -> dict[str, float]:
    """CPU seconds of a training step, the median of those that are not warm-up."""
    meter.COUNTED_STEPS = 0
    stamps: list[float] = []

    def stamp(what: str, share: float) -> None:
        if what == "training":
            stamps.append(time.process_time())

    alone = replace(job, hardware=replace(job.hardware, threads=1))
    values = train(alone, methods, stamp)
    steps = [after - before for before, after in pairwise(stamps[1:])]
    found = {"run.cpu": values["train.cpu_time"]}
    return found | ({"step.cpu": median(steps)} if steps else {})


WHAT: dict[str, Callable[[Job, Mapping[str, Method]], dict[str, float]]] = {
    "count": count,
    "time": clock,
}


def main() -> None:
    """Do the job and print what was measured."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library's print must not look like an answer
    job = Job.from_json(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    found = WHAT[sys.argv[2]](job, load_plugins(job.plugin_folders).methods())
    answer.write(json.dumps(found) + "\n")
    answer.close()


if __name__ == "__main__":
    main()
