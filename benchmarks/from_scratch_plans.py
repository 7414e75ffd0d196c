"""A plan for a language model from scratch beside a guess, and beside random search.

    python benchmarks/from_scratch_plans.py [--seeds 0 1 2] [--minutes 10] [--data FOLDER]

Each may train for so many minutes in the end. ``effauto`` searches for as long before; so does
``random``, which draws size and settings together, tries them on parts of the text, and trains
what came out best as it was drawn. The ``guess`` needs no search: a network of six layers, 384
wide (as nanoGPT's for the works of Shakespeare), at default settings, for as many passes as fit.
On a quiet machine; what is there is not measured again: lines in
``measured/from_scratch.plans.jsonl``, shown in ``docs/from-scratch.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import HERE, SHARED
from real import Foreign
from rivals import Chance

import effauto
from effauto.budget import parse_budget
from effauto.execution.figures import training_figures
from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.listener import Listener
from effauto.model import find_model
from effauto.model.scratch import Size, make_models
from effauto.planner.answers.chosen import best_of
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.space import build_space
from effauto.planner.clock import Clock
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.sizing import RUNGS, SLICE, Sizing, Trial
from effauto.planner.trials.trying import Trying
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figure, Figures
from effauto.store import open_store
from effauto.task import write_split
from effauto.traits import LANGUAGE_MODELING
from effauto.workload import BASELINE

RUNS = HERE / "measured" / "from_scratch.plans.jsonl"
TEXT = "wikitext2_small"
ARMS = ("effauto", "random", "guess")
GUESSED = Size(384, 6)
# A training that takes this much longer than it may has broken its limit and is cut off.
PATIENCE = 1.5


def main() -> None:
    """Run what is missing, then show all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--only-write", action="store_true")
    given = parser.parse_args()
    if not given.only_write:
        measure(given.data / TEXT, given.seeds, given.minutes)
    print(table())


def measure(text: Path, seeds: Sequence[int], minutes: float) -> None:
    """Every arm that is not there yet, seed by seed."""
    done = {(run["arm"], run["seed"], run["minutes"]) for run in runs()}
    for seed in seeds:
        for arm in ARMS:
            if (arm, seed, minutes) not in done:
                found = {"arm": arm, "seed": seed, "minutes": minutes}
                found |= Question(text, minutes, seed).answered(arm)
                with RUNS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
                print(found, file=sys.stderr, flush=True)


def runs() -> list[dict[str, Any]]:
    """What was measured."""
    return [json.loads(line) for line in RUNS.read_text().splitlines()] if RUNS.exists() else []


@dataclass
class Question:
    """The text, the minutes that the training may take, and so may a search, and the seed."""

    text: Path
    minutes: float
    seed: int
    folder: Any = field(default_factory=lambda: tempfile.TemporaryDirectory(prefix="effauto-"))

    def answered(self, arm: str) -> dict[str, Any]:
        """The model that this arm chose, as it was trained and judged on the test text."""
        with self.folder:
            return {"effauto": self._planned, "random": self._drawn, "guess": self._guessed}[arm]()

    @property
    def _budget(self) -> str:
        return f"train.time<={self.minutes:g}min"

    @property
    def _request(self) -> Request:
        return Request(
            DataRequest(str(self.text), LANGUAGE_MODELING),
            budget=parse_budget((self._budget,)),
            search_time=60 * self.minutes,
            seed=self.seed,
            store=str(Path(self.folder.name) / "results.db"),
        )

    def _planned(self) -> dict[str, Any]:
        place, store = Path(self.folder.name), self._request.store
        plan = effauto.plan(
            self.text,
            kind=LANGUAGE_MODELING,
            budget=self._budget,
            search_time=60 * self.minutes,
            seed=self.seed,
            store=store,
        )
        outcome = effauto.run(plan, place / "model", store=store)
        return _told(Candidate(plan.model, plan.recipe), outcome.measurement)

    def _drawn(self) -> dict[str, Any]:
        request, clock = self._request, Clock(60 * self.minutes)
        store = open_store(request.store)
        try:
            situation = understand(request, load_plugins(), store)
            request, strategy = situation.request, Drawn.of(situation)
            study = store.begin_study(
                request.identity(), situation.stored(request.model), request.seed
            )
            trying = Trying(strategy, store, study, clock, Listener())  # type: ignore[arg-type]
            trying.all_of(strategy.next)
            store.finish_study(study, "finished", clock.seconds)
        finally:
            store.close()
        best = best_of(situation, strategy.results)
        assert best is not None, "nothing that was drawn keeps the budget"
        return self._trained(situation, best.candidate)

    def _guessed(self) -> dict[str, Any]:
        store = open_store(self._request.store)
        try:
            situation = understand(self._request, load_plugins(), store)
        finally:
            store.close()
        (name,) = make_models(situation.task.tokenizer, BASELINE.max_tokens, (GUESSED,))
        situation.oracle.models = {**situation.oracle.models, name: find_model(name)}
        fitting = Candidate(name, Recipe.of(pretraining={"epochs": 1}))
        for epochs in range(2, 33):
            more = Candidate(name, Recipe.of(pretraining={"epochs": epochs}))
            if situation.oracle.foretell(more)["train.time"].value > 60 * self.minutes:
                break
            fitting = more
        return self._trained(situation, fitting)

    def _trained(self, situation: Situation, candidate: Candidate) -> dict[str, Any]:
        """Train on all of the text, in a process of its own, and judge on the test text."""
        place, task = Path(self.folder.name), situation.task
        for split in ("train", "test"):
            write_split(getattr(task, split), task.classes, place / f"{split}.jsonl")
        job = Job(
            action=TRAIN,
            data=place,
            model=candidate.model,
            recipe=candidate.recipe,
            task=task.traits,
            classes=task.classes,
            hardware=situation.hardware,
            folder=place / "model",
            cache=place / "cache",
            seed=self.seed,
        )
        with Worker(["transformer"]) as worker:
            values = worker.run(job.within(PATIENCE * 60 * self.minutes))["values"]
            judged = worker.run(job.judging("test"))["figures"]
        request = situation.request
        costs = training_figures(values, situation.hardware, request.place, request.prices)
        return _told(candidate, costs | {n: Figure.from_json(f) for n, f in judged.items()})


def _told(candidate: Candidate, measured: Figures) -> dict[str, Any]:
    (quality,) = (name for name in measured if name.startswith(QUALITY))
    return {
        "model": candidate.model.partition("@")[0],
        "recipe": candidate.recipe.to_json(),
        "bits_a_byte": 8.0 * (1.0 - measured[quality].value),
        "note": measured[quality].note,
        "train.time": measured["train.time"].value,
        "train.flops": measured["train.flops"].value,
    }


class Drawn(Foreign):
    """Draws from the whole space; each is tried on as much of the text as a slice affords."""

    sizing: Sizing

    @classmethod
    def of(cls, situation: Situation) -> Drawn:
        space = build_space(situation.usable, situation.request.seed)
        chance, oracle = Chance(space.configspace, situation.request.seed), situation.oracle

        def draw(time_left: float) -> Candidate:
            while True:
                found = space.candidate(chance.ask())
                if oracle.composition(found).legal and not situation.budget.surely_broken(
                    oracle.foretell(found)
                ):
                    return found

        made = cls(situation, space, None, draw, lambda result: None)  # type: ignore[arg-type]
        made.sizing = Sizing(situation, lambda candidate, fidelity: False)
        return made

    def next(self, time_left: float) -> Trial | None:
        """What does not fit into what is left of the clock on any part is drawn again, not long."""
        for _ in range(100):
            candidate = self.propose(time_left)
            trial = candidate and self._sized(candidate, time_left)
            if trial:
                return trial
        return None

    def _sized(self, candidate: Candidate, time_left: float) -> Trial | None:
        """As much of the text as effauto affords for a trial where nothing is transferred."""
        allowed = min(SLICE * self.situation.request.search_time, 0.9 * time_left)
        for rung in RUNGS:
            seconds = self.sizing.seconds(candidate, rung)
            if seconds <= allowed:
                return Trial(candidate, rung, seconds)
        return None


def table() -> str:
    """The arms, seed by seed."""
    return "\n".join(_rows(runs()))


def _rows(found: list[dict[str, Any]]) -> Iterator[str]:
    yield "| seed | who | bits a byte | perplexity | training | FLOPs | model | settings |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for run in sorted(found, key=lambda run: (run["seed"], ARMS.index(run["arm"]))):
        perplexity = run["note"].partition("perplexity ")[2].partition(" ")[0]
        yield (
            f"| {run['seed']} | {run['arm']} | {run['bits_a_byte']:.3f} | {perplexity} |"
            f" {run['train.time'] / 60:.1f} min | {run['train.flops']:.2g} | {run['model']} |"
            f" {Recipe.from_json(run['recipe'])} |"
        )


if __name__ == "__main__":
    main()
