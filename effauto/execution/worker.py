"""The worker process: imports libraries once, then forks a fresh process for each job.

``python -m effauto.execution.worker FAMILY…`` imports what these families of models need, reads
one job a line from standard input and answers with lines of JSON: any number of
``{"progress": …}``, then ``{"done": …}`` or ``{"failed": …}``. A job that crashes, runs out of
memory or out of time takes only its own process with it: the process hands its result over a pipe,
and only the worker that watched it end passes an answer on.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from effauto.errors import EffautoError
from effauto.execution.job import JUDGE, PILOT, TRACE, TRAIN, Job
from effauto.execution.watch import Death, cause_of_death, watch

if TYPE_CHECKING:
    from effauto.plugins import Plugins

Progress = Callable[[str, float], None]
# (job, plugins, progress) -> what came of it
Action = Callable[[Job, "Plugins", Progress], dict[str, Any]]

# A result must fit into a pipe (64 KiB), since it is read once its writer is gone.
LONGEST_MESSAGE, LONGEST_TRACE = 2000, 6000


def main(actions: Mapping[str, Action] | None = None) -> None:
    """Serve jobs until standard input ends; ``actions`` are known beside those of effauto."""
    known = {**_ACTIONS, **(actions or {})}
    client = os.getppid()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # a library's print must not look like an answer
    _preload(sys.argv[1:])
    _answer(answers, ready=os.getpid())
    while line := sys.stdin.readline():
        _serve(Job.from_json(json.loads(line)), client, answers, known)


def _preload(families: Sequence[str]) -> None:
    """Import what jobs need. Nothing may be computed here: threads do not survive a fork."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from effauto.execution.train import import_libraries

    for family in families:
        import_libraries(family)


def _serve(job: Job, client: int, answers: IO[str], known: Mapping[str, Action]) -> None:
    result, hand_over = os.pipe()
    child = os.fork()
    if child == 0:
        _carry_out(partial(_do, job, answers, known[job.action]), hand_over)
    os.close(hand_over)
    death = watch(child, job, client)
    _, status = os.waitpid(child, 0)
    given = _received(result)
    os.close(result)
    death = death or (None if given else cause_of_death(status))
    _answer(answers, **({"failed": _failed(death)} if death else given))


def _received(result: int) -> dict[str, Any]:
    """What the ended process handed over; nothing if it did not get that far."""
    os.set_blocking(result, False)  # something that it started may still hold the other end
    data = b""
    try:
        while part := os.read(result, 2**16):
            data += part
    except BlockingIOError:
        pass
    try:
        given: dict[str, Any] = json.loads(data)
        return given
    except ValueError:
        return {}


def _failed(death: Death) -> dict[str, str]:
    return {"kind": death.kind, "message": death.sentence}


def _carry_out(do: Callable[[], dict[str, Any]], hand_over: int) -> None:
    """Do the job in this process, hand over what came of it, and leave, whatever happens."""
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # the next jobs are not for it to read
        os.write(hand_over, json.dumps(_outcome(do)).encode())
    finally:
        os._exit(0)


def _outcome(do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"done": do()}
    except MemoryError:
        return {"failed": {"kind": "OutOfMemory", "message": "no memory was left"}}
    except EffautoError as error:
        return _refusal(type(error).__name__, str(error))
    except BaseException as error:  # a plugin may raise anything, and leave in any way
        kind = "OutOfMemory" if type(error).__name__ == "OutOfMemoryError" else "TrialError"
        return _refusal(kind, f"{type(error).__name__}: {error}".partition("\n")[0])


def _refusal(kind: str, message: str) -> dict[str, Any]:
    trace = traceback.format_exc()[-LONGEST_TRACE:]
    return {"failed": {"kind": kind, "message": message[:LONGEST_MESSAGE], "trace": trace}}


def _do(job: Job, answers: IO[str], action: Action) -> dict[str, Any]:
    from effauto.plugins import load_plugins

    return action(job, load_plugins(job.plugin_folders), _Progress(answers))


def _train(job: Job, plugins: Plugins, progress: Progress) -> dict[str, Any]:
    from effauto.execution.train import train

    return {"values": train(job, plugins.methods(), progress)}


def _judge(job: Job, plugins: Plugins, progress: Progress) -> dict[str, Any]:
    from effauto.execution.judge import judge

    figures = judge(job, plugins.methods, progress)
    return {"figures": {name: figure.to_json() for name, figure in figures.items()}}


def _pilot(job: Job, plugins: Plugins, progress: Progress) -> dict[str, Any]:
    from effauto.execution.pilot import pilot

    return {"values": pilot(job, plugins.methods(), progress)}


def _trace(job: Job, plugins: Plugins, progress: Progress) -> dict[str, Any]:
    from effauto.execution.tracing import trace

    progress("tracing", 0.0)
    lengths = {name: job.details[name] for name in ("train_tokens", "request_tokens")}
    return {"trace": trace(job, plugins.methods(), **lengths).to_json()}


_ACTIONS: Mapping[str, Action] = {
    TRAIN: _train,
    JUDGE: _judge,
    PILOT: _pilot,
    TRACE: _trace,
}


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
