"""SIGKILL at random moments of a loop that writes trials as a search does."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from store_made import lines

from effauto.store import Store, open_store
from effauto.store.bundle.lines import Line
from effauto.store.query import trials

REQUEST = {"data": "a search that is killed"}
LONGEST = 1.5
spawn = multiprocessing.get_context("spawn")


def search(url: str, seed: int, told: Connection) -> None:
    """Until it is killed: begin, measure and finish trials; tell of each once it is committed."""
    store, made = open_store(url), list(lines(400, seed))
    study = store.resume_study(REQUEST)
    if study is None:
        study = store.begin_study(REQUEST, made[0].situation, seed)
    told.send(("study", study))
    for line in made:
        number = _begin(store, line, study)
        store.finish_trial(number, line.measured)
        told.send((number, {name: figure.value for name, figure in line.measured.items()}))


def _begin(store: Store, line: Line, study: int) -> int:
    return store.begin_trial(
        line.recipe, line.situation, purpose="search", seed=line.columns["seed"], study=study
    )


def killed(url: Callable[[str], str], kills: int) -> dict[str, Any]:
    """Kill so often, and count what was told of and is not there, or not whole."""
    where, draw = url("kills"), random.Random(0)
    told: dict[int, dict[str, float]] = {}
    studies: set[int] = set()
    reopened: list[float] = []
    lost = broken = running = 0
    for kill in range(kills):
        ours, theirs = spawn.Pipe()
        victim = spawn.Process(target=search, args=(where, kill, theirs))
        victim.start()
        _, study = ours.recv()  # it has opened the database, and begun or resumed
        studies.add(study)
        time.sleep(draw.uniform(0, LONGEST))
        victim.kill()
        victim.join()
        assert victim.exitcode == -signal.SIGKILL, victim.exitcode
        theirs.close()
        told.update(_drained(ours))
        start = time.perf_counter()
        store = open_store(where)
        reopened.append(time.perf_counter() - start)
        found = {record.number: record for record in trials(Store(store.own))}
        store.close()
        lost += sum(number not in found for number in told)
        for number, values in told.items():
            measured = {n: figure.value for n, figure in found[number].measured.items()}
            broken += found[number].state != "finished" or measured != values
        running += sum(record.state == "running" for record in found.values())
    return {
        "kills": kills,
        "trials_reported": len(told),
        "lost": lost,
        "without_all_measurements": broken,
        "left_running": running,
        "studies": len(studies),  # one: each start goes on with it
        "slowest_reopening_seconds": round(max(reopened), 2),
    }


def _drained(pipe: Connection) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    try:
        while True:
            number, values = pipe.recv()
            found[number] = values
    except (EOFError, OSError):
        return found
