"""A study: one request's search, which may be cut off and gone on with."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from effauto.hardware.cache import cache_folder
from effauto.listener import Listener
from effauto.planner.candidate import Candidate
from effauto.planner.clock import Clock
from effauto.planner.request import Request
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.trial import make_result
from effauto.resources import QUALITY
from effauto.store import Store, TrialRecord


def begin_study(
    situation: Situation, store: Store, strategy: Strategy, clock: Clock, listener: Listener
) -> int:
    """Begin a study, or go on with the one of this request that was cut off; return its number."""
    request = situation.request
    study = store.resume_study(request.identity()) if request.resume else None
    if study is not None:
        _take_up(situation, store, strategy, clock, study)
        listener.note(f"going on with study {study}: {len(strategy.results)} trials are kept")
        return study
    if request.resume:
        listener.note("there is no unfinished study of this request: a new one begins")
    return store.begin_study(request.identity(), situation.stored(request.model), request.seed)


def _take_up(
    situation: Situation, store: Store, strategy: Strategy, clock: Clock, study: int
) -> None:
    """Tell the strategy what the study's trials found, oldest first."""
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    for record in reversed(trials(store, Filter(study=study))):
        clock.before += record.seconds or 0.0
        candidate = Candidate(record.model.name, record.recipe)
        if not _holds(situation, record, candidate):
            continue
        if record.state == "failed":
            strategy.tell_failure(candidate, record.fidelity)
        elif QUALITY + situation.task.metric in record.measured:
            strategy.tell(_result(situation, candidate, record))
    tried = {result.candidate.key for result in strategy.results} | set(strategy.failed)
    opening = strategy.opening
    opening.candidates = [c for c in opening.candidates if c.key not in tried]


def results_of(situation: Situation, store: Store, study: object) -> list[Result]:
    """What the trials of that study found, as far as they say something of today's situation."""
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    if not isinstance(study, int):
        return []
    found = []
    for record in reversed(trials(store, Filter(study=study, state="finished"))):
        candidate = Candidate(record.model.name, record.recipe)
        if (
            _holds(situation, record, candidate)
            and QUALITY + situation.task.metric in record.measured
        ):
            found.append(_result(situation, candidate, record))
    return found


def _result(situation: Situation, candidate: Candidate, record: TrialRecord) -> Result:
    measured = dict(record.measured)
    return make_result(situation, candidate, record.fidelity, record.seed, measured, record.number)


def _holds(situation: Situation, record: TrialRecord, candidate: Candidate) -> bool:
    """Whether the trial says something of today's data, models and methods."""
    oracle = situation.oracle
    return (
        record.fingerprint == situation.task.fingerprint
        and candidate.model in oracle.models
        and oracle.composition(candidate).legal
    )


def work_folder(request: Request) -> Path:
    """Where a study keeps its data and shared arrays while it runs; later ones clear up."""
    studies = cache_folder() / "studies"
    ours = studies / f"{_key(request)}-{os.getpid()}"
    for folder in studies.glob("*-*"):
        if folder != ours and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return ours


def _key(request: Request) -> str:
    identity = json.dumps(request.identity(), sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:12]


def _in_use(folder: Path) -> bool:
    import psutil

    process = folder.name.rpartition("-")[2]
    return process.isdigit() and psutil.pid_exists(int(process))
