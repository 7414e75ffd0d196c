"""Check a plugin in a process of its own, which may hang, crash or exit without harm."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from effauto.checks import CHECKS, Failure, run_checks
from effauto.checks.imports import environment, last_line, python
from effauto.plugins import Candidate, Plugins, find_all

_PROGRAM = "from effauto.checks.examine import answer; answer()"


@dataclass(frozen=True)
class Examination:
    """What checking one plugin brought to light."""

    plugin: str
    origin: str
    methods: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def checks(self) -> int:
        """How many checks were made."""
        return 1 + len(CHECKS) * len(self.methods)


def examine(candidate: Candidate, seconds: float) -> Examination:
    """Import and check one plugin in a child process, killed after ``seconds``."""
    with tempfile.TemporaryDirectory(prefix="effauto-check-") as scratch:
        report, talk = Path(scratch, "report.json"), Path(scratch, "stderr.txt")
        asked = [str(report), candidate.name, candidate.origin, str(candidate.path or "")]
        ending = _run(asked, talk, seconds)
        if report.is_file():
            found = json.loads(report.read_text(encoding="utf-8"))
        else:
            found = {"methods": [], "failures": []}
            ending = ending or "it ended its process before the checks were done"
        said = last_line(talk.read_text(encoding="utf-8", errors="replace"))
    failures = [Failure(**failure) for failure in found["failures"]]
    if ending:
        words = f"; its last words: {said}" if said else ""
        failures.append(Failure("", "ends-in-peace", ending + words))
    methods = tuple(found["methods"])
    return Examination(candidate.name, candidate.origin, methods, tuple(failures))


def _run(asked: list[str], talk: Path, seconds: float) -> str:
    """Run the child to its end; say how it ended, unless that was well."""
    with talk.open("wb") as output:
        child = subprocess.Popen(
            python("-c", _PROGRAM, *asked),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
        try:
            return _ending(child.wait(seconds))
        except subprocess.TimeoutExpired:
            return f"it hangs: its process had not ended after {seconds:g} s, and was killed"
        finally:
            _kill_all(child)


def _kill_all(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _ending(code: int) -> str:
    if code >= 0:
        return f"it ended its process with exit code {code}" if code else ""
    with contextlib.suppress(ValueError):
        return f"it crashed its process ({signal.Signals(-code).name})"
    return f"it crashed its process (signal {-code})"


def answer() -> None:
    """The child's part: check the plugin that the command line names, and write a report."""
    report, name, origin, path = sys.argv[1:]
    candidates = find_all([Path(path)] if path else [])
    chosen = next(c for c in candidates if (c.name, c.origin) == (name, origin))
    methods, failures = check_plugin(chosen)
    found = {"methods": methods, "failures": [asdict(failure) for failure in failures]}
    unfinished = Path(f"{report}.part")
    unfinished.write_text(json.dumps(found), encoding="utf-8")
    unfinished.rename(report)


def check_plugin(candidate: Candidate) -> tuple[list[str], list[Failure]]:
    """Load one plugin alone and run every check on each of its methods."""
    plugins = Plugins([candidate])
    methods = plugins.methods()
    plugins.hardware()
    plugins.call(candidate.name, "register_commands", cli=click.Group())
    failures = [Failure("", "loads", broken.reason) for broken in plugins.broken]
    for method in methods.values():
        failures += run_checks(method)
    return list(methods), failures
