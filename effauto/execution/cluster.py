"""Trials on a cluster: each dask worker runs a worker process of effauto's.

The only module that knows dask. effauto and the plugins must be installed alike on all machines,
and the folder of a model or of plugins must lie at the same path; the data are sent.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.errors import Crashed, InputError, Interrupted, TrialError
from effauto.execution.crew import Crew, Done, Progress, train_and_judge
from effauto.execution.job import Job
from effauto.execution.pool import Worker
from effauto.hardware.cache import cache_folder
from effauto.traits import Family

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 10.0
FORGOTTEN = 7 * 86400.0
_HERE = threading.Lock()
_workers: dict[tuple[str, ...], Worker] = {}


def cluster_crew(address: str, families: Collection[Family]) -> Crew:
    """One hand for each dask worker at ``address``.

    Raises InputError if there is no scheduler, or it has no workers.
    """
    client = _connected(address)
    found = client.scheduler_info()["workers"]
    if not found:
        client.close()
        raise InputError(f"the scheduler at {address} has no workers; start some: dask worker")
    names = tuple(sorted(families))
    return _ClusterCrew(
        client,
        [ClusterHand(client, place, found[place]["nthreads"], names) for place in sorted(found)],
    )


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise InputError(f"--dask needs {error.name}: pip install 'effauto[dask]'") from error
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"there is no dask scheduler at {address!r} ({type(error).__name__}); "
            "give its address, such as tcp://10.0.0.1:8786"
        ) from error


class _ClusterCrew(Crew):
    """A crew that closes its connection when it stops."""

    def __init__(self, client: Client, hands: list[ClusterHand]) -> None:
        super().__init__(hands)
        self._client = client

    def stop(self) -> None:
        super().stop()
        self._client.close(timeout=2)


@dataclass
class ClusterHand:
    """A worker of a cluster. If it is lost, dask gives its trial to another."""

    client: Client
    place: str
    threads: int
    families: tuple[str, ...]
    future: Future[Done] | None = None

    def start(self) -> None:
        """Its process starts with its first trial."""

    def carry_out(self, job: Job, seconds: float, progress: Progress) -> Done:
        job = replace(job, hardware=replace(job.hardware, threads=self.threads))
        splits = {path.name: path.read_text(encoding="utf-8") for path in job.data.iterdir()}
        limits = {"GPU": 1} if job.hardware.accelerators else None
        self.future = self.client.submit(
            carry_out_there, job.to_json(), splits, self.families, seconds,
            workers=[self.place], allow_other_workers=True, resources=limits, pure=False,
        )  # fmt: skip
        return self._result(self.future)

    def _result(self, future: Future[Done]) -> Done:
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            raise Crashed("each worker that took this trial was lost with it") from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise Interrupted(f"the scheduler is gone ({type(error).__name__})") from error

    def stop(self) -> None:
        """Let go of what is being done there: its process ends, not the dask worker."""
        if self.future is None or self.future.done():
            return
        try:
            self.client.run(stop_there, workers=[self.place], on_error="ignore", wait=False)
            self.future.cancel(force=True)
        except (OSError, ValueError, TimeoutError):  # the scheduler is gone, or the worker
            return


def carry_out_there(
    data: Mapping[str, Any], splits: Mapping[str, str], families: tuple[str, ...], seconds: float
) -> Done:
    """Do the job in the process of a dask worker, in a folder of its own."""
    job, home = Job.from_json(data), cache_folder() / "cluster"
    digest = hashlib.sha256("".join(splits.values()).encode()).hexdigest()[:16]
    folder = home / digest
    name = f"{os.getpid()}-{job.folder.name}"
    job = replace(
        job,
        data=folder / "data",
        folder=folder / name,
        cache=folder / "cache",
        details={**job.details, "answers": str(folder / f"{name}.json")},
    )
    _write(job.data, splits)
    with _HERE:
        worker = _workers.setdefault(families, Worker(families))  # type: ignore[arg-type]
        try:
            return train_and_judge(worker, job, seconds, None)
        except TrialError as error:
            raise type(error)(str(error)) from None  # notes and causes may not travel


def _write(folder: Path, splits: Mapping[str, str]) -> None:
    if not folder.exists():
        _tidy(folder.parent.parent)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in splits.items():
        path = folder / name
        if not path.exists():
            part = path.with_name(f"{name}.{os.getpid()}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)


def _tidy(home: Path) -> None:
    """Remove the data of tasks that nobody tried here for a week."""
    for old in home.glob("*"):
        if time.time() - old.stat().st_mtime > FORGOTTEN:
            shutil.rmtree(old, ignore_errors=True)


def stop_there() -> None:
    """End the worker processes that this dask worker runs."""
    for worker in _workers.values():
        worker.stop()
