"""Make a plan: understand, rule out, foretell, know, search, choose, remember."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.cost import Infeasibility, explain_infeasible
from effauto.errors import EffautoError, Interrupted
from effauto.planner.candidate import Candidate
from effauto.planner.listener import Listener
from effauto.planner.plan import Alternative, Plan
from effauto.planner.pool import few, frugal
from effauto.planner.request import Request
from effauto.planner.results import Result, choose, front, latest
from effauto.planner.situation import Situation, understand
from effauto.plugins import Plugins
from effauto.quantities import show
from effauto.resources import QUALITY, Figure, Figures
from effauto.store import Store, open_store

if TYPE_CHECKING:
    from effauto.planner.strategy import Strategy
    from effauto.planner.trials import Trials

FRONT = ("inference.latency", "model.size", "train.time")
MOST_ALTERNATIVES = 12


def make_plan(request: Request, plugins: Plugins, listener: Listener | None = None) -> Plan:
    """Answer the request; the search keeps to its clock, which starts now.

    A plan whose ``status`` is ``infeasible`` names the limits that bind; an ``interrupted`` one is
    the best so far. Raises InputError for what cannot be read, StoreError for the database.
    """
    clock = _Clock(request.search_time)
    store = open_store(request.store)
    try:
        situation = understand(request, plugins, store)
        pool = _pool(situation)
        if request.search_time <= 0:
            return _instant(situation, pool)
        doomed = all(_surely_broken(situation, candidate) for candidate in pool)
        if doomed:
            return _instant(situation, pool)
        return _searched(situation, pool, store, clock, listener or Listener())
    finally:
        store.close()


def _pool(situation: Situation) -> list[Candidate]:
    """What is weighed before anything is tried: the recipe that was given, or all simple ones."""
    oracle, request = situation.oracle, situation.request
    if request.recipe is not None:
        given = Candidate(request.model, request.recipe)
        oracle.composition(given).require_legal()
        return [given]
    pool = few(oracle, situation.usable)
    return list(dict.fromkeys([*pool, *frugal(oracle, situation.usable, situation.budget, pool)]))


class _Clock:
    """Wall time since the request, and what earlier runs of a resumed study took."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.before = 0.0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self._start

    @property
    def left(self) -> float:
        return self.limit - self.seconds


def _surely_broken(situation: Situation, candidate: Candidate) -> bool:
    return bool(situation.budget.surely_broken(situation.oracle.foretell(candidate)))


def _instant(situation: Situation, pool: Sequence[Candidate]) -> Plan:
    """The best answer from what is known, without trying anything."""
    oracle, budget, prior = situation.oracle, situation.budget, situation.prior
    foretold = {candidate: _foretell(situation, candidate) for candidate in pool}

    def fits(candidate: Candidate) -> bool:
        return not budget.broken({name: f.value for name, f in foretold[candidate].items()})

    def worth(candidate: Candidate) -> tuple[float, int, float]:
        quality = prior.quality(candidate).value if prior.trials else 0.0
        family = oracle.models[candidate.model].traits.family == "linear"
        time_foretold = foretold[candidate]["train.time"].value
        steps = len(candidate.recipe.steps)
        return round(quality, 3), -steps - 10 * family, -time_foretold

    allowed = [candidate for candidate in pool if fits(candidate)]
    if not allowed:
        return _infeasible(situation, {str(c): foretold[c] for c in pool}, pool)
    best = max(allowed, key=worth)
    others = sorted(allowed, key=worth, reverse=True)[1:MOST_ALTERNATIVES]
    return _plan(
        situation,
        best,
        status="feasible",
        estimate=foretold[best],
        alternatives=[Alternative(c.model, c.recipe, foretold[c], 0.0) for c in others],
        search={"trials": 0, "failed": 0, "seconds": 0.0, "energy": 0.0},
        notes=["foretold only: nothing was tried (give --search-time to measure)"],
    )


def _foretell(situation: Situation, candidate: Candidate) -> dict[str, Figure]:
    quality = {QUALITY + situation.task.metric: situation.prior.quality(candidate)}
    return situation.oracle.foretell(candidate) | quality


def _infeasible(
    situation: Situation,
    candidates: dict[str, Figures],
    pool: Sequence[Candidate],
    **parts: Any,
) -> Plan:
    """No answer: say which limits bind, and what the least relaxation would allow."""
    explained = explain_infeasible(candidates, situation.budget)
    nearest = next(c for c in pool if str(c) == explained.nearest)
    return _plan(
        situation,
        nearest,
        status="infeasible",
        estimate=candidates[explained.nearest],
        infeasible=_infeasible_json(explained),
        **({"search": {"trials": 0, "failed": 0, "seconds": 0.0, "energy": 0.0}} | parts),
    )


def _infeasible_json(explained: Infeasibility) -> dict[str, Any]:
    return explained.to_json()


def _searched(
    situation: Situation,
    pool: Sequence[Candidate],
    store: Store,
    clock: _Clock,
    listener: Listener,
) -> Plan:
    """Try candidates until the clock, the trials or the user say stop; then choose."""
    from effauto.execution.pool import Worker
    from effauto.planner.space import build_space
    from effauto.planner.strategy import Strategy, opening
    from effauto.planner.trials import Trials

    request = situation.request
    space = build_space(situation.usable, request.seed)
    portfolio = opening(situation, pool) if request.recipe is None else list(pool)
    strategy = Strategy(situation, space, portfolio, request.seed)
    study = _study(situation, store, strategy, clock, listener)
    folder = work_folder(request)
    interrupted = False
    with Worker() as worker:
        try:
            worker.start()
            trials = Trials(situation, store, study, worker, folder)
            failed = _search(strategy, trials, clock, listener)
        except (KeyboardInterrupt, Interrupted):
            interrupted, failed = True, sum(strategy.failed.values())
        except BaseException:
            store.finish_study(study, "failed", clock.seconds)
            raise
    store.finish_study(study, "interrupted" if interrupted else "finished", clock.seconds)
    if not interrupted:
        shutil.rmtree(folder, ignore_errors=True)
    return _chosen(situation, strategy.results, failed, clock, interrupted, pool, study)


def _search(strategy: Strategy, trials: Trials, clock: _Clock, listener: Listener) -> int:
    """Run trials one by one; return how many failed."""
    situation = strategy.situation
    most = situation.request.max_trials or math.inf
    failed = 0
    while clock.left > 0 and len(strategy.results) + failed < most:
        trial = strategy.next(clock.left)
        if trial is None:
            break
        number = len(strategy.results) + failed + 1
        listener.started(number, trial.candidate, trial.fidelity, trial.seconds)
        try:
            result = trials.run(
                trial.candidate,
                trial.fidelity,
                situation.request.seed,
                clock.left,
                listener.progress,
            )
        except EffautoError as error:
            failed += 1
            strategy.tell_failure(trial.candidate, trial.fidelity)
            listener.failed(trial.candidate, str(error))
            continue
        strategy.tell(result)
        best = choose(strategy.results, situation.budget, situation.task.metric)
        listener.ended(result, best, clock.left)
    return failed


def _study(
    situation: Situation, store: Store, strategy: Strategy, clock: _Clock, listener: Listener
) -> int:
    """Begin a study, or go on with the one of this request that was cut off."""
    request = situation.request
    if request.resume:
        study = store.resume_study(request.identity())
        if study is not None:
            _take_up(situation, store, strategy, clock, study)
            listener.note(f"going on with study {study}: {len(strategy.results)} trials are kept")
            return study
        listener.note("there is no unfinished study of this request: a new one begins")
    return store.begin_study(request.identity(), situation.stored(request.model), request.seed)


def _take_up(
    situation: Situation, store: Store, strategy: Strategy, clock: _Clock, study: int
) -> None:
    from effauto.planner.trials import make_result
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    oracle = situation.oracle
    for record in reversed(trials(store, Filter(study=study))):
        candidate = Candidate(record.model.name, record.recipe)
        clock.before += record.seconds or 0.0
        known = candidate.model in oracle.models and oracle.composition(candidate).legal
        if not known or record.state == "interrupted":
            continue
        if record.state == "failed":
            strategy.tell_failure(candidate, record.fidelity)
            continue
        result = make_result(
            situation, candidate, record.fidelity, record.seed, dict(record.measured),
            record.number, record.seconds or 0.0,
        )  # fmt: skip
        strategy.tell(result)
    tried = {result.candidate.key for result in strategy.results}
    strategy.portfolio = [
        c for c in strategy.portfolio if c.key not in tried | set(strategy.failed)
    ]


def work_folder(request: Request) -> Path:
    """Where a study keeps its data and shared arrays while it runs."""
    from effauto.hardware.cache import cache_folder

    identity = json.dumps(request.identity(), sort_keys=True)
    key = hashlib.sha256(identity.encode()).hexdigest()[:12]
    return cache_folder() / "studies" / f"{key}-{os.getpid()}"


def _chosen(
    situation: Situation,
    results: Sequence[Result],
    failed: int,
    clock: _Clock,
    interrupted: bool,
    pool: Sequence[Candidate],
    study: int,
) -> Plan:
    """The plan from all that was measured."""
    metric = situation.task.metric
    joules = sum(r.measured["train.energy"].value for r in results if "train.energy" in r.measured)
    search = {
        "study": study,
        "trials": len(results) + failed,
        "failed": failed,
        "seconds": clock.seconds,
        "energy": joules,
    }
    best = choose(results, situation.budget, metric)
    if best is None:
        if not results:
            candidates = {str(c): _foretell(situation, c) for c in pool}
            notes = ["no trial finished within the search: foretold only"]
            return _infeasible(situation, candidates, pool, search=search, notes=notes)
        tried = {str(r.candidate): r.projected() for r in latest(results)}
        return _infeasible(situation, tried, [r.candidate for r in results], search=search)
    alternatives = [
        Alternative(r.candidate.model, r.candidate.recipe, at_full_scale(situation, r), r.fidelity)
        for r in sorted(front(results, metric, FRONT), key=lambda r: -r.quality(metric))
    ]
    return _plan(
        situation,
        best.candidate,
        status="interrupted" if interrupted else "feasible",
        estimate=at_full_scale(situation, best),
        measurement=best.measured,
        fidelity=best.fidelity,
        alternatives=alternatives,
        search=search,
        notes=_compared(results, best, metric),
    )


def at_full_scale(situation: Situation, result: Result) -> dict[str, Figure]:
    """What a tried candidate should cost and reach when trained on all the data."""
    estimate = situation.oracle.foretell(result.candidate) | {
        name: figure
        for name, figure in result.projected().items()
        if name.startswith(("inference.", "model."))
    }
    name = QUALITY + situation.task.metric
    quality = result.measured[name]
    gain = result.gain
    estimate[name] = Figure(
        min(1.0, quality.value + gain),
        "1",
        quality.low,
        min(1.0, quality.high + 2 * gain),
        "measured" if result.fidelity >= 1 else "corrected",
        quality.note + ("" if result.fidelity >= 1 else f", on {result.fidelity:.0%} of the data"),
    )
    return estimate


def _compared(results: Sequence[Result], best: Result, metric: str) -> list[str]:
    """One sentence for each untouched model: what choosing otherwise changed."""
    notes = []
    for result in latest(results):
        if result.candidate.recipe.steps or result is best:
            continue
        own, theirs = best.quality(metric), result.quality(metric)
        size, other = (r.projected()["model.size"].value for r in (best, result))
        notes.append(
            f"beside {result.candidate} (on {result.fidelity:.0%} of the data): {metric} "
            f"{own:.3f} against {theirs:.3f}, size {show(size, 'byte')} against {show(other, 'byte')}"
        )
    return notes


def _plan(situation: Situation, candidate: Candidate, **parts: Any) -> Plan:
    request, task = situation.request, situation.task
    composition = situation.oracle.composition(candidate)
    data = request.data.to_json()
    return Plan(
        task=task.traits,
        task_name=task.name,
        fingerprint=task.fingerprint,
        classes=task.classes,
        model=candidate.model,
        hardware=situation.hardware,
        budget=request.budget,
        recipe=type(candidate.recipe).from_settings({m.name: s for m, s in composition.steps}),
        order=composition.reasons,
        seed=request.seed,
        ruled_out=tuple(situation.ruled_out),
        data=data,
        versions={m.name: m.version for m, _ in composition.steps},
        **({"measurement": {}, "fidelity": 0.0} | _tuples(parts, task.notes, request.seed)),
    )


def _tuples(parts: dict[str, Any], task_notes: Sequence[str], seed: int) -> dict[str, Any]:
    parts["alternatives"] = tuple(parts.get("alternatives", ()))
    parts["notes"] = (*task_notes, *parts.get("notes", ()))
    parts["search"] = {**parts["search"], "seed": seed}
    return parts
