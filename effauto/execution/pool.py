"""The other end of a worker: start it, give it jobs, survive its death."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import IO, Any

from effauto import errors
from effauto.errors import Crashed, EffautoError, IllegalRecipe, TrialError
from effauto.execution.job import Job

Progress = Callable[[str, float], None]
_KINDS: Mapping[str, type[EffautoError]] = {
    name: getattr(errors, name) for name in ("OutOfMemory", "TimedOut", "Crashed", "TrialError")
}
LOG_TAIL = 4000


class Worker:
    """One worker process, started when first needed and again after it died.

    Use it as a context manager: leaving it ends the process, also when the work was interrupted.
    """

    def __init__(self) -> None:
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
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "effauto.execution.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we then end the worker
        )
        if "ready" not in self._read():
            raise Crashed(f"the worker process did not start: {self.log_tail()}")

    def run(self, job: Job, progress: Progress | None = None) -> dict[str, Any]:
        """Do the job; raise a TrialError, saying what happened, if it fails."""
        self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(job.to_json()) + "\n")
            process.stdin.flush()
            return self._result(progress)
        except (BrokenPipeError, EOFError):
            self.stop()
            raise Crashed(f"the worker process died: {self.log_tail()}") from None
        except BaseException as error:
            if not isinstance(error, EffautoError):
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
                failed = message["failed"]
                if failed["kind"] == "Refused":
                    raise IllegalRecipe(failed["message"])
                error = _KINDS[failed["kind"]](failed["message"])
                error.add_note(failed.get("trace", "") or self.log_tail())
                raise error

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message

    def log_tail(self) -> str:
        """The last that the worker and its libraries said on standard error."""
        if self._log is None or self._log.closed:
            return ""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - LOG_TAIL))
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """End the process and all it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, AttributeError):
                stream.close()  # type: ignore[union-attr]
        self._process = None
