"""The worker process: imports torch once, then forks a fresh process for each job.

``python -m effauto.execution.worker`` reads one job a line from standard input and answers with
lines of JSON: any number of ``{"progress": …}``, then ``{"done": …}`` or ``{"failed": …}``. A job
that crashes, runs out of memory or out of time takes only its own process with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from typing import IO, Any

from effauto.errors import EffautoError, TrialError
from effauto.execution.job import TRAIN, Job

POLL_SECONDS = 0.05
LONGEST_TRACE = 6000


def main() -> None:
    """Serve jobs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # a library's print must not look like an answer
    _preload()
    _answer(answers, ready=os.getpid())
    while line := sys.stdin.readline():
        _serve(Job.from_json(json.loads(line)), answers)


def _preload() -> None:
    """Import what jobs need. Nothing may be computed here: threads do not survive a fork."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import effauto.execution.training  # noqa: F401
    from effauto.execution.train import import_libraries

    import_libraries("transformer")
    import_libraries("linear")


def _serve(job: Job, answers: IO[str]) -> None:
    child = os.fork()
    if child == 0:
        _carry_out(job, answers)
    killed = _watch(child, job)
    _, status = os.waitpid(child, 0)
    if killed:
        _answer(answers, failed={"kind": killed[0], "message": killed[1]})
    elif os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        out_of_memory = os.WTERMSIG(status) == signal.SIGKILL
        kind = "OutOfMemory" if out_of_memory else "Crashed"
        why = "the system killed it, most likely for memory" if out_of_memory else f"died of {name}"
        _answer(answers, failed={"kind": kind, "message": why})
    elif os.WEXITSTATUS(status):
        message = f"its process exited with code {os.WEXITSTATUS(status)}"
        _answer(answers, failed={"kind": "Crashed", "message": message})


def _watch(child: int, job: Job) -> tuple[str, str] | None:
    """Wait for the child; kill it, and say why, when it breaks a limit or nobody waits for it."""
    import psutil

    process, client = psutil.Process(child), os.getppid()
    started, base = time.monotonic(), process.memory_info().rss
    while _alive(child):
        killed: tuple[str, str] | None = None
        time.sleep(POLL_SECONDS)
        if os.getppid() != client:  # whoever asked for this is gone
            os.kill(child, signal.SIGKILL)
            os._exit(1)
        if job.time_limit and time.monotonic() - started > job.time_limit:
            killed = "TimedOut", f"needed more than the {job.time_limit:.0f} s it may take"
        with contextlib.suppress(psutil.Error):
            used = process.memory_info().rss - base
            if job.memory_limit and used > job.memory_limit:
                mebibytes = job.memory_limit / 2**20
                killed = "OutOfMemory", f"needed more than the {mebibytes:.0f} MiB it may use"
        if killed:
            os.kill(child, signal.SIGKILL)
            return killed
    return None


def _alive(child: int) -> bool:
    info = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return info is None


def _carry_out(job: Job, answers: IO[str]) -> None:
    """Do the job in this process and leave it, whatever happens."""
    code = 0
    try:
        _answer(answers, done=_do(job, answers))
    except MemoryError:
        _answer(answers, failed={"kind": "OutOfMemory", "message": "no memory was left"})
    except EffautoError as error:
        kind = type(error).__name__ if isinstance(error, TrialError) else "Refused"
        _answer(answers, failed={"kind": kind, "message": str(error)})
    except BaseException as error:  # a plugin may raise anything, and leave in any way
        described = f"{type(error).__name__}: {error}".partition("\n")[0]
        trace = traceback.format_exc()[-LONGEST_TRACE:]
        _answer(answers, failed={"kind": "TrialError", "message": described, "trace": trace})
    finally:
        answers.flush()
        os._exit(code)


def _do(job: Job, answers: IO[str]) -> dict[str, Any]:
    from effauto.execution.judge import judge
    from effauto.execution.train import train
    from effauto.plugins import load_plugins

    plugins = load_plugins(job.plugin_folders)
    progress = _Progress(answers)
    if job.action == TRAIN:
        return {"values": train(job, plugins.methods(), progress)}
    figures = judge(job, plugins.methods, progress)
    return {"figures": {name: figure.to_json() for name, figure in figures.items()}}


class _Progress:
    """Tells how far the job is, a few times a second at most."""

    def __init__(self, answers: IO[str]) -> None:
        self.answers = answers
        self.last = 0.0

    def __call__(self, what: str, share: float) -> None:
        now = time.monotonic()
        if now - self.last > 0.25:
            self.last = now
            _answer(self.answers, progress=[what, round(share, 3)])


def _answer(answers: IO[str], **message: Any) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
