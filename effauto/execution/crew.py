"""Several workers at once: each trial is trained and judged by one of them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from effauto.errors import WorkerLost
from effauto.execution.job import Job
from effauto.execution.pool import Worker
from effauto.machine import Hardware
from effauto.traits import Family

Progress = Callable[[str, float], None]
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Done:
    """What training cost, what judging measured (both as plain JSON), and the answers given."""

    values: Mapping[str, float]
    judged: Mapping[str, Any]
    answers: tuple[int, ...]


class Hand(Protocol):
    """Whatever trains and judges one trial at a time."""

    def start(self) -> None: ...

    def carry_out(self, job: Job, seconds: float, progress: Progress) -> Done: ...

    def stop(self) -> None: ...


class Crew:
    """Gives each trial to one of its ``hands``; leaving it as a context manager stops them all.

    A trial whose worker is lost, not the trial itself, is begun once more.
    """

    def __init__(self, hands: Sequence[Hand]) -> None:
        self._hands = list(hands)
        self._stopping = False
        self._threads = ThreadPoolExecutor(len(self._hands), "effauto-worker")

    def __len__(self) -> int:
        return len(self._hands)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all of them at once; each imports libraries for some seconds."""
        for started in [self._threads.submit(hand.start) for hand in self._hands]:
            started.result()

    def submit(self, place: int, job: Job, seconds: float, progress: Progress) -> Future[Done]:
        """Let the hand at ``place``, which must be free, do the job within so many seconds."""
        return self._threads.submit(self._do, self._hands[place], job, seconds, progress)

    def _do(self, hand: Hand, job: Job, seconds: float, progress: Progress) -> Done:
        end = time.monotonic() + seconds
        try:
            return hand.carry_out(job, seconds, progress)
        except WorkerLost:
            if self._stopping:
                raise
            return hand.carry_out(job, end - time.monotonic(), progress)

    def stop(self) -> None:
        """End all work at once: what is being done fails."""
        self._stopping = True
        for hand in self._hands:
            hand.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for hand in self._hands:  # one may have been starting
            hand.stop()


@dataclass
class LocalHand:
    """A worker process on this machine."""

    worker: Worker

    def start(self) -> None:
        self.worker.start()

    def carry_out(self, job: Job, seconds: float, progress: Progress) -> Done:
        return train_and_judge(self.worker, job, seconds, progress)

    def stop(self) -> None:
        self.worker.stop()


def local_crew(workers: int, families: Collection[Family], hardware: Hardware) -> Crew:
    """So many worker processes here; where GPUs compute, each sees one of its own."""
    visible = os.environ.get(VISIBLE_GPUS, "").split(",") if hardware.accelerators else []
    cards = [card for card in visible if card] or [str(n) for n in range(workers)]
    alone = workers == 1 or not hardware.accelerators
    return Crew(
        [
            LocalHand(Worker(families, {} if alone else {VISIBLE_GPUS: cards[place]}))
            for place in range(workers)
        ]
    )


def train_and_judge(worker: Worker, job: Job, seconds: float, progress: Progress | None) -> Done:
    """Train, save, reload and judge; what was saved is removed, whatever happens."""
    end = time.monotonic() + seconds
    answers = Path(job.details["answers"])

    def within() -> float:
        return max(1.0, end - time.monotonic())

    try:
        values = worker.run(job.within(within()), progress)["values"]
        judged = worker.run(job.judging().within(within()), progress)["figures"]
        found = tuple(json.loads(answers.read_text(encoding="utf-8")))
    finally:
        shutil.rmtree(job.folder, ignore_errors=True)
        answers.unlink(missing_ok=True)
    return Done(values, judged, found)
