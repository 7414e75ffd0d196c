"""Try combinations of methods on six public data sets, the cheapest and most telling first.

    python benchmarks/campaign.py --data FOLDER [--minutes 10] [--workers 2] [TASK …]
    python benchmarks/campaign.py --show

Each method alone; each way of adaptation beside one method of the data, the design, the order or
the padding, or of what follows training; and random legal recipes of two to four methods with
random settings, the same for the same ``--seed``. Pairs take turns on the tasks, so that little
time gives a sample of all; in the last part of the time the best recipes are trained with two
seeds more. Trials are judged on validation splits, as those of a search are. Each goes to the
store (``benchmarks/measured/campaign.db``) and is not made again. ``--show`` prints what was best.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from statistics import mean

from bench import (
    HERE,
    Bench,
    Wanted,
    arguments_of,
    done,
    finished,
    grouped,
    open_results,
    quality_of,
)
from laboratory import Laboratory

from effauto.knobs import Choice, Int, Knob, Value
from effauto.method import Method
from effauto.model import BAG_OF_WORDS
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import singles
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.store import Store, TrialRecord

STORE = HERE / "measured" / "campaign.db"
TASKS = ("sst2", "trec6", "banking77", "sms_spam", "sick", "ewt_pos")
ADAPTATION, AFTERWARDS = "adaptation", ("compress", "inference")
PARTNERS, SLOTS = ("data", "design", *AFTERWARDS), ("order", "padding")
# Random recipes: how many methods, for how many of the planned ones, and how many in all.
MOST_METHODS, RANDOM_EVERY, MOST_RANDOM, DRAWS = 4, 2, 2000, 200
# The share of the time after which the best are trained again, how many of a task, which seeds.
REPEAT_AFTER, BEST, SEEDS = 0.75, 6, (1, 2)


def main() -> None:
    """Try what was not tried, and say what was best."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of the random recipes")
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--show", action="store_true", help="only print what was best")
    arguments = arguments_of(parser, TASKS)
    store = open_results(arguments.store)
    if not arguments.show:
        _try(arguments, store)
    print("\n".join(table(store)))


def _try(arguments: argparse.Namespace, store: Store) -> None:
    begun, seconds = time.monotonic(), 60 * arguments.minutes
    plugins = load_plugins()
    benches = [Bench.of(task, arguments, plugins, store) for task in arguments.tasks]
    campaign = Campaign(benches, store, arguments.model, arguments.seed)
    half, end = begun + REPEAT_AFTER * seconds, begun + seconds
    laboratory = Laboratory(store, arguments.workers, arguments.scratch, half, end)
    laboratory.do(campaign.fresh(campaign.groups()))
    last = replace(laboratory, end=end)
    last.do(campaign.fresh(chain(campaign.repeats(), campaign.groups())))


@dataclass
class Campaign:
    """What is to be tried on these tasks, in a good order."""

    benches: Sequence[Bench]
    store: Store
    model: str
    seed: int

    def fresh(self, groups: Iterator[list[Wanted]]) -> Iterator[list[Wanted]]:
        """Without what was tried."""
        known = done(self.store, ("search",))
        for group in groups:
            left = [wanted for wanted in group if wanted.key not in known]
            if left:
                yield left

    def groups(self) -> Iterator[list[Wanted]]:
        """Plain trainings first, then pairs with random recipes among them, pass by pass."""
        yield from grouped(chain.from_iterable(map(self._alone, self.benches)))
        drawn = islice(self._random(), MOST_RANDOM)
        for turn in range(len(self.benches)):
            for place, group in enumerate(self._pairs(turn)):
                yield group
                if place % RANDOM_EVERY == 0:
                    yield from ([wanted] for wanted in islice(drawn, 1))
        yield from ([wanted] for wanted in drawn)

    def _alone(self, bench: Bench) -> list[Wanted]:
        situation = bench.situation
        found = [c for c in singles(situation.oracle, situation.usable) if not bench.dear(c)]
        return [self._wanted(bench, c) for c in sorted(found, key=bench.seconds)]

    def _pairs(self, turn: int) -> list[list[Wanted]]:
        """Each pair on one task: in another turn on another one.

        What follows a training stays on the task of that training, which is then shared.
        """
        wanted = []
        for place, adaptation in enumerate(self._named(lambda method: method.slot == ADAPTATION)):
            for step, partner in enumerate(self._named(_partner)):
                alone = self._methods()[partner].stage in AFTERWARDS
                number = place + turn + (0 if alone else 1 + step)
                bench = self.benches[number % len(self.benches)]
                candidate = Candidate(self.model, Recipe.of(adaptation, partner))
                if bench.legal(candidate) and not bench.dear(candidate):
                    wanted.append(self._wanted(bench, candidate))
        return sorted(grouped(wanted), key=lambda group: group[0].bench.seconds(group[0].candidate))

    def _named(self, wanted: Callable[[Method], bool]) -> list[str]:
        return sorted(name for name, method in self._methods().items() if wanted(method))

    def _methods(self) -> dict[str, Method]:
        """What can act on some task here."""
        return {
            name: method
            for bench in self.benches
            for name, method in bench.situation.usable[self.model].items()
        }

    def _random(self) -> Iterator[Wanted]:
        """Legal recipes of two to four methods, tasks taking turns."""
        chance = random.Random(f"campaign {self.seed}")
        while True:
            for bench in self.benches:
                candidate = drawn(bench, self.model, chance)
                if candidate is not None:
                    yield self._wanted(bench, candidate)

    def repeats(self) -> Iterator[list[Wanted]]:
        """The best recipes of each task, and the plain one, with other seeds."""
        for seed in SEEDS:
            for bench in self.benches:
                found = ranked(finished(self.store, "search", bench.name))
                best = [Candidate(r[0].model.name, r[0].recipe) for r in found[:BEST]]
                plain = [Candidate(self.model), Candidate(BAG_OF_WORDS)]
                for candidate in dict.fromkeys([*best, *plain]):
                    if bench.legal(candidate):
                        yield [Wanted(bench, candidate, seed, ("search",))]

    def _wanted(self, bench: Bench, candidate: Candidate) -> Wanted:
        return Wanted(bench, candidate, 0, ("search",))


def _partner(method: Method) -> bool:
    """Whether pairs are made of it and a way of adaptation."""
    return method.slot != ADAPTATION and (method.stage in PARTNERS or method.slot in SLOTS)


def drawn(bench: Bench, model: str, chance: random.Random) -> Candidate | None:
    """A random legal recipe that is not too dear, or None if none was found."""
    usable = bench.situation.usable[model]
    for _ in range(DRAWS):
        names = chance.sample(sorted(usable), chance.randint(2, MOST_METHODS))
        settings = {
            name: {knob: value(found, chance) for knob, found in usable[name].knobs.items()}
            for name in names
        }
        candidate = Candidate(model, Recipe.from_settings(settings))
        if bench.legal(candidate) and not bench.dear(candidate):
            return candidate
    return None


def value(knob: Knob, chance: random.Random) -> Value:
    """A random value of the knob, evenly on its scale."""
    if isinstance(knob, Choice):
        return chance.choice(knob.options)
    low, high, share = knob.low, knob.high, chance.random()
    found = low * (high / low) ** share if knob.log else low + (high - low) * share
    return round(found) if isinstance(knob, Int) else float(f"{min(max(found, low), high):.3g}")


def ranked(records: Sequence[TrialRecord]) -> list[list[TrialRecord]]:
    """Trials of the same recipe together, best mean quality first."""
    alike: dict[tuple[str, str], list[TrialRecord]] = defaultdict(list)
    for record in records:
        alike[record.model.name, record.recipe.key].append(record)
    return sorted(alike.values(), key=lambda found: -_mean_quality(found))


def _mean_quality(records: Sequence[TrialRecord]) -> float:
    return float(mean(quality_of(record) for record in records))


def table(store: Store, most: int = 8) -> Iterator[str]:
    """The best recipes of each task, beside the plain ones."""
    for task in TASKS:
        found = ranked(finished(store, "search", task))
        if not found:
            continue
        yield f"{task}: {sum(map(len, found))} trials of {len(found)} recipes, on validation rows"
        plain = [records for records in found if not records[0].recipe.steps]
        for records in [*found[:most], *(p for p in plain if p not in found[:most])]:
            candidate = Candidate(records[0].model.name, records[0].recipe)
            yield f"  {_mean_quality(records):.3f}  {len(records)} seeds  {candidate.described}"


if __name__ == "__main__":
    main()
