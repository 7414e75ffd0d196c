"""Candidates made to keep a budget: step by step, by what is foretold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from effauto.budget import Budget
from effauto.knobs import Choice, Int, Value
from effauto.method import Method
from effauto.planner.candidate import Candidate, Oracle, acts_before_trained
from effauto.planner.candidates.pool import excess, legal_ones, same_slot, with_settings

STEPS = 12
# What is tried to save a way of training: so many steps at most.
FEW_STEPS = 4
# Stages in which a method changes the network, or what becomes of it, but not how it is trained.
AROUND = ("design", "compress", "inference")

# The slot of what decides how all weights are trained.
ADAPTATION = "adaptation"

Methods = Mapping[str, Method]
Settings = Mapping[str, Mapping[str, Value]]


def frugal(
    oracle: Oracle,
    usable: Mapping[str, Methods],
    budget: Budget,
    starts: Sequence[Candidate],
) -> list[Candidate]:
    """From the best ``starts`` of each model, climb towards the budget: the legal ends reached.

    A step adds or drops a method, or sets a knob to an end of its range.
    """
    ends = []
    for model in usable:
        ours = [start for start in starts if start.model == model]
        if ours:
            best = min(ours, key=lambda c: excess(oracle.foretell(c), budget))
            ends.append(_climb(oracle, usable[model], budget, best, STEPS))
    return ends


def fitted(
    oracle: Oracle,
    usable: Mapping[str, Methods],
    budget: Budget,
    starts: Sequence[Candidate],
) -> list[Candidate]:
    """Each of ``starts`` that misses the budget, changed so that it keeps it, trained as it is.

    First by what acts on the trained network; if that is not enough, by a smaller network too.
    What cannot be made to keep it is left out.
    """
    found = []
    for start in starts:
        around = {n: m for n, m in usable[start.model].items() if m.stage in AROUND}
        later = {n: m for n, m in around.items() if not acts_before_trained(m)}
        for methods in (later, around):
            end = _climb(oracle, methods, budget, start, FEW_STEPS)
            if end != start and excess(oracle.foretell(end), budget)[0] == 0:
                found.append(end)
                break
    return found


@dataclass(frozen=True)
class Stretch:
    """A whole number of a method, such as passes over a text, that makes training longer."""

    model: str
    method: str
    knob: str
    limits: Int

    def longest(
        self, oracle: Oracle, budget: Budget, settings: Settings, most: float = math.inf
    ) -> Candidate:
        """With these methods beside it, the longest training that keeps the budget and ``most``."""
        low = self.limits.low
        high = max(low, int(min(most, self.limits.high)))
        while low < high:
            middle = (low + high + 1) // 2
            if excess(oracle.foretell(self._set(settings, middle)), budget)[0] == 0:
                low = middle
            else:
                high = middle - 1
        return self._set(settings, low)

    def _set(self, settings: Settings, value: int) -> Candidate:
        own = {**settings.get(self.method, {}), self.knob: value}
        return with_settings(Candidate(self.model), {**settings, self.method: own})


def stretches(usable: Mapping[str, Methods]) -> Iterator[Stretch]:
    """Of each model that is trained from scratch."""
    for model, methods in usable.items():
        for name, method in methods.items():
            for knob, limits in method.knobs.items() if method.stage == "pretrain" else ():
                if isinstance(limits, Int) and method.slot == ADAPTATION:
                    yield Stretch(model, name, knob, limits)


def stretched(oracle: Oracle, usable: Mapping[str, Methods], budget: Budget) -> list[Candidate]:
    """Of each model that is trained from scratch, the longest training that keeps the budget."""
    found = (stretch.longest(oracle, budget, {}) for stretch in stretches(usable))
    return list(legal_ones(oracle, found))


def _climb(
    oracle: Oracle, methods: Methods, budget: Budget, start: Candidate, steps: int
) -> Candidate:
    """The end of the steepest way towards the budget; a tie goes to the plainer step."""
    best, least = start, excess(oracle.foretell(start), budget)
    for _ in range(steps):
        near = list(legal_ones(oracle, _neighbours(best, oracle.methods, methods)))
        if not near or least[0] == 0:
            return best
        step = min(near, key=lambda c: excess(oracle.foretell(c), budget))
        found = excess(oracle.foretell(step), budget)
        if found >= least:
            return best
        best, least = step, found
    return best


def _neighbours(candidate: Candidate, known: Methods, offered: Methods) -> Iterator[Candidate]:
    """One of ``offered`` more, in any of its modes, or less, or with a knob at an end."""
    settings = candidate.recipe.settings
    for name in filter(offered.__contains__, settings):
        yield with_settings(candidate, {n: s for n, s in settings.items() if n != name})
        for knob, values in _extremes(offered[name]).items():
            for value in values:
                yield with_settings(candidate, settings | {name: settings[name] | {knob: value}})
    for name, method in offered.items():
        if name not in settings:
            kept = {n: s for n, s in settings.items() if not same_slot(known[n], method)}
            for setting in modes(method):
                yield with_settings(candidate, kept | {name: setting})


def modes(method: Method) -> Iterator[dict[str, Value]]:
    """The method's defaults, and each other option of a knob that offers a choice."""
    yield {}
    for name, knob in method.knobs.items():
        if isinstance(knob, Choice):
            yield from ({name: option} for option in knob.options if option != knob.default)


def _extremes(method: Method) -> dict[str, tuple[Value, ...]]:
    return {
        name: knob.options if isinstance(knob, Choice) else (knob.low, knob.high)
        for name, knob in method.knobs.items()
    }
