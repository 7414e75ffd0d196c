"""The other end of a worker: start it, give it jobs, survive its death."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import IO, Any

from effauto import errors
from effauto.errors import EffautoError, TrialError, WorkerLost
from effauto.execution.device import ASK_WITHOUT_STARTING
from effauto.execution.job import Job
from effauto.machine import PATIENT_THREADS
from effauto.traits import Family

Progress = Callable[[str, float], None]
LOG_TAIL = 4000


class Worker:
    """One worker process, started when first needed and again after it died.

    Use it as a context manager: leaving it ends the process, also when the work was interrupted.
    What the ``families`` of models need is imported once; others can be trained, but start slower.
    ``program`` is what Python runs: it may know more actions, but speaks like a worker.
    """

    def __init__(
        self,
        families: Collection[Family] = ("linear", "transformer"),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "effauto.execution.worker"),
    ) -> None:
        self._command = [sys.executable, *program, *sorted(families)]
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it has imported what it needs."""
        if self._process is not None and self._process.poll() is None:
            return
        if not hasattr(os, "fork"):
            raise TrialError("recipes run on Linux and macOS only: a worker needs to fork")
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._new_log(),
            text=True,
            env=os.environ | PATIENT_THREADS | ASK_WITHOUT_STARTING | self._environment,
            start_new_session=True,  # Ctrl-C is for us; we then end the worker
        )
        with self._dying_as("the worker process did not start"):
            self._read()

    def run(self, job: Job, progress: Progress | None = None) -> dict[str, Any]:
        """Do the job; raise a TrialError, saying what happened, if it fails.

        What the job refused to do is raised as the same kind of EffautoError as in the worker.
        """
        self.start()
        with self._dying_as("the worker process died"):
            stdin = self._alive().stdin
            assert stdin is not None
            stdin.write(json.dumps(job.to_json()) + "\n")
            stdin.flush()
            return self._result(progress)

    @contextlib.contextmanager
    def _dying_as(self, what: str) -> Iterator[None]:
        """Stop the process if it died, and also if waiting for it was cut short."""
        try:
            yield
        except (BrokenPipeError, EOFError, ValueError):  # half a line, or a pipe closed meanwhile
            self.stop()
            raise WorkerLost(f"{what}: {self.log_tail() or 'it left no message'}") from None
        except EffautoError:
            raise
        except BaseException:
            self.stop()
            raise

    def _result(self, progress: Progress | None) -> dict[str, Any]:
        while True:
            message = self._read()
            if "progress" in message and progress:
                progress(*message["progress"])
            if "done" in message:
                done: dict[str, Any] = message["done"]
                return done
            if "failed" in message:
                raise self._error(**message["failed"])

    def _error(self, kind: str, message: str, trace: str = "") -> EffautoError:
        error: EffautoError = getattr(errors, kind, TrialError)(message)
        error.add_note(trace or self.log_tail())
        return error

    def _read(self) -> dict[str, Any]:
        stdout = self._alive().stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message

    def _alive(self) -> subprocess.Popen[str]:
        if self._process is None:  # another thread stopped it
            raise EOFError
        return self._process

    def _new_log(self) -> IO[bytes]:
        if self._log is not None:
            self._log.close()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the next, or with us
        return self._log

    def log_tail(self) -> str:
        """The last that the worker and its libraries said on standard error."""
        if self._log is None:
            return ""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - LOG_TAIL))
        return self._log.read().decode(errors="replace").strip()

    def stop(self) -> None:
        """End the process and all it started. A thread that waits for it learns that it died."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError, AttributeError):
                stream.close()  # type: ignore[union-attr]
