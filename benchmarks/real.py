"""The same searches for real: every searcher's recipes go through effauto's own trial runner.

Others draw from the same space, know the same limits, and are refused what is illegal; each trial
is on all of the data. Everything counts: loading, asking, starting the worker.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import planner
import registry
from rivals import MAKERS

from effauto.budget import parse_budget
from effauto.listener import Listener
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.space import Space, build_space
from effauto.planner.clock import Clock
from effauto.planner.planner import make_plan
from effauto.planner.request import DataRequest, Request
from effauto.planner.results import Result
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.sizing import Trial
from effauto.planner.trials.trying import Trying
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import QUALITY
from effauto.store import open_store

TASKS = ("sst2", "trec6")
MODEL = "minilm"
ROWS = 3000
BUDGET = ("model.size<=60MiB", "inference.latency<=15ms")
EXPERT = Recipe.of("lora", "int8-dynamic")  # LoRA is merged when its training ends
MOST_ASKED = 200


def searched(folders: Sequence[Path], minutes: float, seeds: int, searchers: Sequence[str]) -> None:
    """Every searcher on each task, where it is not there yet."""
    target = planner.MEASURED / "real.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    done = {(line["searcher"], line["task"], line["seed"]) for line in planner.lines(target)}
    for seed in range(seeds):
        for folder in folders:
            for searcher in searchers:
                if (searcher, folder.name, seed) not in done:
                    found = run(folder, searcher, 60 * minutes, seed)
                    with target.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(found) + "\n")


def run(folder: Path, searcher: str, seconds: float, seed: int) -> dict[str, Any]:
    """One search: when each trial ended, and what it gave."""
    with tempfile.TemporaryDirectory() as name, _knowing(searcher, folder.name, Path(name)):
        request = Request(
            DataRequest(str(folder), max_rows=ROWS),
            MODEL,
            parse_budget(BUDGET),
            search_time=seconds,
            seed=seed,
            store=str(Path(name) / "results.db"),
        )
        events = Events(Clock(seconds))
        if searcher in (planner.WARM, planner.COLD):
            make_plan(request, load_plugins(), events)
        else:
            _foreign(request, searcher, events)
        ended = {"overshoot": round(max(0.0, events.clock.seconds / seconds - 1), 4)}
    return {"searcher": searcher, "task": folder.name, "seed": seed, **events.to_json(), **ended}


@contextmanager
def _knowing(searcher: str, task: str, folder: Path) -> Iterator[None]:
    """A warm search knows the shipped trials of other tasks; others know nothing."""
    before, others = os.environ.get("EFFAUTO_REGISTRY"), folder / "others.db"
    if searcher == planner.WARM:
        registry.build(others, without=task)
    os.environ["EFFAUTO_REGISTRY"] = str(others) if searcher == planner.WARM else ""
    try:
        yield
    finally:
        os.environ.pop("EFFAUTO_REGISTRY")
        if before is not None:
            os.environ["EFFAUTO_REGISTRY"] = before


@dataclass
class Events(Listener):
    """Notes when trials end, by a clock that started with the search."""

    clock: Clock
    trials: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    illegal: int = 0

    def ended(self, result: Result, best: Result | None, time_left: float) -> None:
        figures = result.projected()
        (quality,) = (name for name in figures if name.startswith(QUALITY))
        self.trials.append(
            {
                "at": round(self.clock.seconds, 2),
                "quality": result.measured[quality].value,
                "fidelity": result.fidelity,
                "latency": figures["inference.latency"].value,
                "size": figures["model.size"].value,
                "over": bool(parse_budget(BUDGET).broken({n: f.value for n, f in figures.items()})),
                "recipe": _told(result.candidate),
                "answer": best and _told(best.candidate),
            }
        )

    def failed(self, candidate: Candidate, error: str) -> None:
        self.failures += 1

    def to_json(self) -> dict[str, Any]:
        return {
            "events": self.trials,
            "horizon": self.clock.limit,
            "trials": len(self.trials) + self.failures,
            "illegal": self.illegal,
            "failed": self.failures,
            "over": sum(event["over"] for event in self.trials),
        }


def _told(candidate: Candidate) -> dict[str, Any]:
    return {"model": candidate.model, "steps": candidate.recipe.to_json()}


@dataclass
class Foreign:
    """Another's searcher in the place of effauto's strategy."""

    situation: Situation
    space: Space
    events: Events
    propose: Callable[[float], Candidate | None]
    learn: Callable[[Result | None], None]
    results: list[Result] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)

    def next(self, time_left: float) -> Trial | None:
        candidate = self.propose(time_left)
        return None if candidate is None else Trial(candidate, 1.0, math.inf)

    def begin(self, trial: Trial) -> None:
        """One trial at a time: nothing is pending while another is asked for."""

    def tell(self, result: Result) -> None:
        self.results.append(result)
        self.learn(result)

    def tell_failure(self, candidate: Candidate, fidelity: float) -> None:
        self.failed[candidate.key] = self.failed.get(candidate.key, 0) + 1
        self.learn(None)


def _foreign(request: Request, searcher: str, events: Events) -> None:
    store = open_store(request.store)
    try:
        situation = understand(request, load_plugins(), store)
        space = build_space(situation.usable, request.seed)
        if searcher == planner.EXPERT:
            propose, learn = _in_turn([Candidate(MODEL, EXPERT)]), _nothing
        else:
            propose, learn = _asking(situation, space, searcher, events)
        strategy = Foreign(situation, space, events, propose, learn)
        study = store.begin_study(request.identity(), situation.stored(MODEL), request.seed)
        trying = Trying(strategy, store, study, events.clock, events)  # type: ignore[arg-type]
        trying.all_of(strategy.next)
        store.finish_study(study, "finished", events.clock.seconds)
    finally:
        store.close()


def _in_turn(candidates: Iterable[Candidate]) -> Callable[[float], Candidate | None]:
    left = list(dict.fromkeys(candidates))
    return lambda time_left: left.pop(0) if left else None


def _nothing(result: Result | None) -> None:
    """Nothing is learnt."""


def _asking(
    situation: Situation, space: Space, searcher: str, events: Events
) -> tuple[Callable[[float], Candidate | None], Callable[[Result | None], None]]:
    """What is asked for, but for the illegal; what is told: error and limits missed."""
    limits = {limit.resource: limit for limit in situation.budget}
    made = MAKERS[searcher](
        space.configspace, situation.request.seed, ("error",), tuple(limits), MOST_ASKED
    )
    asked: list[Any] = []
    bad = dict.fromkeys(limits, 1.0)
    oracle = situation.oracle

    def propose(time_left: float) -> Candidate | None:
        while len(asked) < MOST_ASKED:
            asked.append(made.ask())
            if asked[-1] is not None:
                candidate = space.candidate(asked[-1])
                if oracle.composition(candidate).legal:
                    return candidate
            events.illegal += 1
            made.tell(asked[-1], [1.0], bad)
        return None

    def learn(result: Result | None) -> None:
        if result is None:
            made.tell(asked[-1], [1.0], bad)
            return
        figures = result.projected()
        error = 1 - result.measured[QUALITY + situation.task.metric].value
        missed = {n: math.log(limits[n].excess(figures[n].value)) for n in limits}
        made.tell(asked[-1], [error], missed)

    return propose, learn
