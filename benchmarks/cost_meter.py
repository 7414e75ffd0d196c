"""A worker that measures what effauto's own does not, in a process of its own for each job.

``count`` counts every operation and the bytes of all live tensors, ``weigh`` the bytes of serving;
``clock`` and ``answer`` take processor time, which others on the machine disturb least.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Sequence
from statistics import median
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from effauto.cost.energy import joules
from effauto.cost.ranges import exact
from effauto.execution import meter
from effauto.execution.artefact import Answers, load_artefact, size_of
from effauto.execution.context import Context
from effauto.execution.device import use_threads
from effauto.execution.job import Job
from effauto.execution.judge import BATCH
from effauto.execution.pilot import TIMED, WARM_UP
from effauto.execution.train import Progress, train
from effauto.execution.worker import main
from effauto.plugins import Plugins
from effauto.task.exchange import read_split

JOULES_A_KILOWATT_HOUR = 3.6e6
# Requests answered one by one.
REQUESTS = 12
COUNTED = (
    "train.flops", "train.memory", "train.labels", "inference.flops", "model.parameters",
)  # fmt: skip


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


def count(job: Job, plugins: Plugins, progress: Progress) -> dict[str, float]:
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
        values = train(job, plugins.methods(), progress)
    return {name: values[name] for name in COUNTED} | {"tensor.peak": peaks[-1]}


def clock(job: Job, plugins: Plugins, progress: Progress) -> dict[str, float]:
    """Processor seconds of the whole training and of a step, and what its beginning foretells.

    The step is the mean one, the first left out; a pilot would have seen ``seen`` seconds and told
    that ``left`` more are to come.
    """
    meter.COUNTED_STEPS = 0
    stamps: list[tuple[float, float]] = []

    def stamp(what: str, share: float) -> None:
        if what.startswith("training"):  # and, perhaps, the time left
            stamps.append((time.process_time() - started, share))

    started = time.process_time()
    values = train(job, plugins.methods(), stamp)
    found = {"run.cpu": values["train.cpu_time"]}
    if len(stamps) > 1:
        (began, first), *_, (ended, last) = stamps
        found["step.cpu"] = (ended - began) / (last - first) / len(stamps)
    if len(stamps) >= WARM_UP + TIMED:
        (began, first), *_, (ended, last) = stamps[WARM_UP - 1 : WARM_UP + TIMED]
        left = (ended - began) / (last - first) * (1.0 - last)
        found |= {"seen": ended, "left": left, "done": last}
    return found


def weigh(job: Job, plugins: Plugins, progress: Progress) -> dict[str, float]:
    """What answering a batch of requests takes in memory, and the model on disk."""
    use_threads(job.hardware.threads)
    rows = read_split(job.data / "validation.jsonl")[0].inputs[:BATCH]
    measuring = meter.Meter()
    artefact = load_artefact(job.folder, plugins.methods, job.hardware.threads)
    artefact.predict_indices(rows, BATCH)
    return {
        "inference.memory": measuring.stop().memory,
        "model.size": float(size_of(job.folder)),
    }


def answer(job: Job, plugins: Plugins, progress: Progress) -> dict[str, float]:
    """Processor seconds of a request on its own, the median, and requests a second in batches."""
    use_threads(job.hardware.threads)
    rows = read_split(job.data / "validation.jsonl")[0].inputs
    artefact = load_artefact(job.folder, plugins.methods, job.hardware.threads)
    artefact.predict_indices(rows[:2], 1)
    took = [_seconds(artefact, [row]) for row in rows[:REQUESTS]]
    batch = _seconds(artefact, rows[:BATCH])
    return {"inference.latency": median(took), "inference.throughput": len(rows[:BATCH]) / batch}


def _seconds(artefact: Answers, rows: Sequence[tuple[str, ...]]) -> float:
    started = time.process_time()
    artefact.predict_indices(rows, BATCH)
    return time.process_time() - started


def carbon(job: Job, plugins: Plugins, progress: Progress) -> dict[str, Any]:
    """Joules of a training by codecarbon, which finds no counter here, and as effauto models it."""
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code="FRA", save_to_file=False, log_level="error", tracking_mode="process"
    )
    tracker.start()
    values = train(job, plugins.methods(), progress)
    tracker.stop()
    ours = joules(exact(values["train.time"]), job.hardware)
    theirs = tracker.final_emissions_data.energy_consumed * JOULES_A_KILOWATT_HOUR
    return {"codecarbon": theirs, "effauto": [ours.low, ours.value, ours.high]}


if __name__ == "__main__":
    main({"count": count, "clock": clock, "weigh": weigh, "answer": answer, "carbon": carbon})
