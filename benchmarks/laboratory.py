"""Does what benchmarks want trained, with several workers at once, and notes all in a store."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from bench import PATIENCE, SPLITS, UNDISTURBED, Wanted

from effauto.errors import EffautoError
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.resources import QUALITY, Figure
from effauto.store import Store
from effauto.store.entries import Purpose


@dataclass
class Laboratory:
    """Does what is wanted with several workers at once, and notes all in a store.

    Trials of one group are done one after the other by one worker, from one training. None begins
    after ``end``; those that run then are cut off at ``latest``, and each after ``patience``
    seconds.
    """

    store: Store
    workers: int
    scratch: Path
    end: float
    latest: float
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        self._lock = Lock()

    def do(self, groups: Iterable[Sequence[Wanted]]) -> None:
        """Take groups as workers become free; stop taking them when time is over."""
        source = iter(groups)
        with ThreadPoolExecutor(self.workers) as threads:
            for ended in [threads.submit(self._work, n, source) for n in range(self.workers)]:
                ended.result()

    def _work(self, number: int, source: Iterator[Sequence[Wanted]]) -> None:
        with Worker() as worker:
            while time.monotonic() < self.end:
                with self._lock:
                    group = next(source, None)
                if group is None:
                    return
                for wanted in group:
                    if time.monotonic() < self.end:
                        self._try(wanted, number, worker, share=len(group) > 1)

    def _try(self, wanted: Wanted, number: int, worker: Worker, share: bool) -> None:
        started = time.monotonic()
        with self._lock:
            begun = {purpose: self._begin(wanted, purpose) for purpose in wanted.purposes}
        why = ""
        try:
            figures = self._measure(wanted, number, worker, share)
            with self._lock:
                for purpose, trial in begun.items():
                    self.store.finish_trial(trial, figures[purpose])
        except EffautoError as error:
            why = self._note(error, begun.values())
        finally:
            shutil.rmtree(self.scratch / f"artefact-{number}", ignore_errors=True)
        told = f": {why}" if why else ""
        print(f"{wanted} {time.monotonic() - started:.1f} s{told}", file=sys.stderr, flush=True)

    def _begin(self, wanted: Wanted, purpose: Purpose) -> int:
        situation, candidate = wanted.bench.situation, wanted.candidate
        return self.store.begin_trial(
            candidate.recipe,
            situation.stored(candidate.model),
            purpose=purpose,
            seed=wanted.seed,
            foretold=situation.oracle.foretell(candidate),
            methods=situation.versions(candidate),
        )

    def _note(self, error: EffautoError, begun: Iterable[int]) -> str:
        """A trial that was cut off because time was over has not failed."""
        over = time.monotonic() >= self.latest
        notes = "\n".join(getattr(error, "__notes__", ()))
        told = f"{type(error).__name__}: {error}"
        with self._lock:
            for trial in begun:
                self.store.fail_trial(
                    trial, f"{told}\n{notes}".strip(), "interrupted" if over else "failed"
                )
        return f"{'cut off' if over else 'FAILED'}: {told}"

    def _measure(
        self, wanted: Wanted, number: int, worker: Worker, share: bool
    ) -> dict[Purpose, dict[str, Figure]]:
        job = self._job(wanted, number, share)
        values = worker.run(self._timed(job))["values"]
        request = wanted.bench.situation.request
        costs = training_figures(values, job.hardware, request.place, request.prices)
        found = {}
        for purpose in wanted.purposes:
            judged = worker.run(self._timed(job.judging(SPLITS[purpose])))["figures"]
            seen = {name: Figure.from_json(figure) for name, figure in judged.items()}
            found[purpose] = self._kept(costs | seen)
        return found

    def _kept(self, figures: Mapping[str, Figure]) -> dict[str, Figure]:
        if self.workers == 1:
            return dict(figures)
        return {
            name: figure
            for name, figure in figures.items()
            if name in UNDISTURBED or name.startswith(QUALITY)
        }

    def _timed(self, job: Job) -> Job:
        return job.within(max(1.0, min(self.patience, self.latest - time.monotonic())))

    def _job(self, wanted: Wanted, number: int, share: bool) -> Job:
        situation = wanted.bench.situation
        details: dict[str, Any] = {"fingerprint": situation.task.fingerprint}
        return Job(
            action=TRAIN,
            data=wanted.bench.data,
            model=wanted.candidate.model,
            recipe=wanted.candidate.recipe,
            task=situation.task.traits,
            classes=situation.task.classes,
            hardware=situation.hardware,
            folder=self.scratch / f"artefact-{number}",
            cache=self.scratch / "cache",
            seed=wanted.seed,
            details=details | ({"share_training": True} if share else {}),
        )
