"""Watch a process do a job: end it when it breaks a limit, and say what it died of."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass

from effauto.execution.job import Job

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Death:
    """Why a job has no result: the name of an error class, and a sentence."""

    kind: str
    sentence: str


def watch(child: int, job: Job, client: int) -> Death | None:
    """Wait until the child has ended; kill it, and say why, when it breaks a limit of the job.

    If ``client``, the process that asked for the job, is gone, this process ends as well.
    """
    started, base = time.monotonic(), _resident(child)
    while _alive(child):
        time.sleep(POLL_SECONDS)
        if os.getppid() != client:
            os.kill(child, signal.SIGKILL)
            os._exit(1)
        death = _broken_limit(job, time.monotonic() - started, _resident(child) - base)
        if death:
            os.kill(child, signal.SIGKILL)
            return death
    return None


def _broken_limit(job: Job, seconds: float, grown: float) -> Death | None:
    if job.time_limit and seconds > job.time_limit:
        return Death("TimedOut", f"needed more than the {job.time_limit:.0f} s it may take")
    if grown > job.memory_allowed:
        mebibytes = job.memory_allowed / 2**20
        return Death("OutOfMemory", f"needed more than the {mebibytes:.0f} MiB it may use")
    return None


def cause_of_death(status: int) -> Death:
    """What the status of an ended process says, that left no result."""
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return Death("Crashed", f"its process left with exit code {code} and no result")
    number = os.WTERMSIG(status)
    if number == signal.SIGKILL:
        return Death("OutOfMemory", "the system killed it, most likely for memory")
    return Death("Crashed", f"died of {signal.Signals(number).name}")


def _alive(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _resident(process: int) -> float:
    """The resident set in bytes; 0 once the process has ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return float(psutil.Process(process).memory_info().rss)
    return 0.0
