"""A recipe read for legality: in what order its methods act, and which rules forbid it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from effauto.errors import IllegalRecipe, SettingError
from effauto.knobs import Value, complete
from effauto.machine import Hardware
from effauto.method import STAGES, Method, no_such_method
from effauto.recipe import Recipe
from effauto.traits import ModelTraits, TaskTraits

if TYPE_CHECKING:
    import networkx as nx

# Rules that leave a method out of the order, so that what is found of the others is not all.
LEFT_OUT = ("known", "setting")


@dataclass(frozen=True)
class Refusal:
    """A rule that a recipe breaks: the method it stops, and one sentence that names the rule."""

    method: str
    rule: str
    sentence: str

    def to_json(self) -> dict[str, str]:
        return {"method": self.method, "rule": self.rule, "reason": self.sentence}


@dataclass(frozen=True)
class Composition:
    """A recipe read for legality: its steps in order, why in that order, and what forbids it."""

    recipe: Recipe
    steps: tuple[tuple[Method, dict[str, Value]], ...]
    reasons: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    facts: frozenset[str]

    @property
    def legal(self) -> bool:
        return not self.refusals

    def resettled(self, recipe: Recipe) -> Composition | None:
        """The same methods with the settings of ``recipe``, if all settings are such as may be.

        Order and rules do not depend on settings, so they are not looked at again.
        """
        if any(refusal.rule in LEFT_OUT for refusal in self.refusals):
            return None
        chosen, refused = _look_up(recipe, {method.name: method for method, _ in self.steps})
        steps = tuple(chosen[method.name] for method, _ in self.steps if method.name in chosen)
        return None if refused else replace(self, recipe=recipe, steps=steps)

    def require_legal(self) -> Composition:
        """Return self; raise IllegalRecipe with every refusal if the recipe breaks a rule."""
        if self.refusals:
            raise IllegalRecipe("; ".join(refusal.sentence for refusal in self.refusals))
        return self


def compose(
    recipe: Recipe,
    methods: Mapping[str, Method],
    task: TaskTraits,
    model: ModelTraits,
    hardware: Hardware,
) -> Composition:
    """Order the recipe's steps and decide, before anything runs, whether they may be run.

    Never raises for a bad recipe: what is wrong is in :attr:`Composition.refusals`.
    """
    chosen, refusals = _look_up(recipe, methods)
    refusals += _slots_taken_twice([method for method, _ in chosen.values()])
    for method, _ in chosen.values():
        refusals += unusable(method, task, model, hardware)
    ordered, reasons, cycle = order([method for method, _ in chosen.values()])
    facts, unmet = _simulate(ordered, model.facts)
    steps = tuple(chosen[method.name] for method in ordered)
    return Composition(recipe, steps, tuple(reasons), (*refusals, *cycle, *unmet), facts)


def _look_up(
    recipe: Recipe, methods: Mapping[str, Method]
) -> tuple[dict[str, tuple[Method, dict[str, Value]]], list[Refusal]]:
    """Each step's method with its complete setting; refusals for what there is not."""
    chosen: dict[str, tuple[Method, dict[str, Value]]] = {}
    refusals: list[Refusal] = []
    for step in recipe.steps:
        method = methods.get(step.method)
        if method is None:
            sentence = no_such_method(step.method, methods)
            refusals.append(Refusal(step.method, "known", sentence))
            continue
        try:
            chosen[method.name] = method, complete(method.knobs, step.setting)
        except SettingError as error:
            refusals.append(Refusal(method.name, "setting", f"{method.name}: {error}"))
    return chosen, refusals


def unusable(
    method: Method, task: TaskTraits, model: ModelTraits, hardware: Hardware
) -> list[Refusal]:
    """Why ``method`` cannot be used here, whatever else is in the recipe."""
    verdict = method.needs.met(hardware)
    if not verdict:
        return [Refusal(method.name, "needs", f"{method.name} {verdict.reason}")]
    verdict = method.fits(task, model)
    if not verdict:
        return [Refusal(method.name, "fits", f"{method.name} {verdict.reason}")]
    return []


def _slots_taken_twice(methods: Iterable[Method]) -> list[Refusal]:
    holders: dict[str, str] = {}
    refusals = []
    for method in methods:
        if method.slot is None:
            continue
        first = holders.setdefault(method.slot, method.name)
        if first != method.name:
            sentence = f"{first} and {method.name} both take the slot '{method.slot}'"
            refusals.append(Refusal(method.name, "slot", sentence))
    return refusals


def order(methods: Iterable[Method]) -> tuple[list[Method], list[str], list[Refusal]]:
    """Sort by stage and by ``before`` and ``after``; ties by name, so that input order is moot.

    Returns the methods, a reason for each neighbouring pair, and a refusal if they form a cycle.
    """
    ordered, reasons, cycle = _ordered(tuple(sorted(methods, key=lambda method: method.name)))
    return list(ordered), list(reasons), list(cycle)


@lru_cache(maxsize=4096)  # a search asks for few sets of methods, with many settings
def _ordered(
    methods: tuple[Method, ...],
) -> tuple[Sequence[Method], Sequence[str], Sequence[Refusal]]:
    import networkx as nx

    by_name = {method.name: method for method in methods}
    if len(by_name) < 2:
        return list(by_name.values()), [], []
    graph = precedence(by_name.values())
    sort = nx.lexicographical_topological_sort
    try:
        names = list(sort(graph, key=lambda name: (STAGES.index(by_name[name].stage), name)))
    except nx.NetworkXUnfeasible:
        circle = [edge[0] for edge in nx.find_cycle(graph)]
        sentence = f"{' → '.join([*circle, circle[0]])} each must come before the next"
        return list(by_name.values()), [], [Refusal(circle[0], "order", sentence)]
    return [by_name[name] for name in names], _reasons(graph, names), []


def precedence(methods: Iterable[Method]) -> nx.DiGraph[str]:
    """An edge, with its reason, from each method's name to those that it must precede."""
    import networkx as nx

    members = list(methods)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(method.name for method in members)
    for first in members:
        for second in members:
            if reason := _why_before(first, second):
                graph.add_edge(first.name, second.name, reason=reason)
    return graph


def _reasons(graph: nx.DiGraph[str], names: Iterable[str]) -> list[str]:
    reasons = []
    for first, second in pairwise(names):
        why = graph.get_edge_data(first, second, {"reason": "independent, so by name"})
        reasons.append(f"{first} before {second}: {why['reason']}")
    return reasons


def _why_before(first: Method, second: Method) -> str:
    if first is second:
        return ""
    if _names(second) & set(first.before):
        return f"{first.name} must precede {', '.join(sorted(_names(second) & set(first.before)))}"
    if _names(first) & set(second.after):
        return f"{second.name} must follow {', '.join(sorted(_names(first) & set(second.after)))}"
    asked_otherwise = _names(first) & set(second.before) or _names(second) & set(first.after)
    if not asked_otherwise and STAGES.index(first.stage) < STAGES.index(second.stage):
        return f"{first.stage} comes before {second.stage}"
    return ""


def _names(method: Method) -> set[str]:
    return {method.name, method.stage} | ({method.slot} if method.slot else set())


def _simulate(
    ordered: Iterable[Method], facts: frozenset[str]
) -> tuple[frozenset[str], list[Refusal]]:
    refusals = []
    removed_by: dict[str, str] = {}
    provided_by: dict[str, str] = {}
    for method in ordered:
        for fact in sorted(method.requires - facts):
            lost = f", which {removed_by[fact]} takes away" if fact in removed_by else ""
            sentence = f"{method.name} requires {_spoken(fact)}{lost}"
            refusals.append(Refusal(method.name, "requires", sentence))
        for fact in sorted(method.forbids & facts):
            given = f", which {provided_by[fact]} brings" if fact in provided_by else ""
            sentence = f"{method.name} does not go with {_spoken(fact)}{given}"
            refusals.append(Refusal(method.name, "forbids", sentence))
        removed_by |= dict.fromkeys(method.removes, method.name)
        provided_by |= dict.fromkeys(method.provides, method.name)
        facts = (facts - method.removes) | method.provides
    return facts, refusals


def _spoken(fact: str) -> str:
    return fact.replace("_", " ")
