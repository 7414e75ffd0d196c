"""Recipes: which methods, with which settings; in what order, and whether that is legal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from effauto.errors import IllegalRecipe, PlanError, SettingError
from effauto.knobs import Setting, Value, complete
from effauto.machine import Hardware
from effauto.method import STAGES, Method
from effauto.traits import ModelTraits, TaskTraits


@dataclass(frozen=True)
class Step:
    """One method and a value for some of its knobs; the others keep their defaults."""

    method: str
    values: tuple[tuple[str, Value], ...] = ()

    @property
    def setting(self) -> dict[str, Value]:
        return dict(self.values)


@dataclass(frozen=True)
class Recipe:
    """Methods with their settings. The order of writing means nothing: steps are kept by name.

    Hashable and comparable; :attr:`key` is a short content hash. The empty recipe is the
    untouched baseline.
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, *methods: str, **settings: Setting) -> Recipe:
        """``Recipe.of("int8-dynamic", lora={"rank": 8})``; ``_`` in a keyword stands for ``-``."""
        chosen: dict[str, Setting] = {name: {} for name in methods}
        chosen |= {name.replace("_", "-"): setting for name, setting in settings.items()}
        return cls.from_settings(chosen)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Setting]) -> Recipe:
        """A recipe of each method in ``settings``, with its values."""
        return cls(
            tuple(Step(name, tuple(sorted(settings[name].items()))) for name in sorted(settings))
        )

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Read names joined by ``+``, ``untouched``, or :meth:`to_json`'s list as JSON text.

        Raises PlanError if it is none of these.
        """
        text = text.strip()
        if text.startswith("["):
            try:
                return cls.from_json(json.loads(text))
            except (ValueError, RecursionError) as error:
                raise PlanError(f"the recipe is no JSON: {error}") from error
        names = [name.strip() for name in text.split("+") if name.strip()]
        return cls.of(*names) if names != ["untouched"] else cls()

    @property
    def settings(self) -> dict[str, dict[str, Value]]:
        return {step.method: step.setting for step in self.steps}

    @cached_property
    def key(self) -> str:
        canonical = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return " + ".join(step.method for step in self.steps) or "untouched"

    def to_json(self) -> list[dict[str, Any]]:
        return [{"method": step.method, "setting": step.setting} for step in self.steps]

    @classmethod
    def from_json(cls, data: Any) -> Recipe:
        """Read :meth:`to_json`'s list; raise PlanError if it is not one."""
        try:
            settings = {entry["method"]: dict(entry.get("setting", {})) for entry in data}
            plain = all(
                isinstance(name, str) and all(isinstance(v, Value) for v in setting.values())
                for name, setting in settings.items()
            )
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise PlanError(f"a recipe is a list of {{method, setting}}: {error}") from error
        if not plain or len(settings) < len(data):
            raise PlanError("a recipe names each method once, with plain values")
        return cls.from_settings(settings)


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
    refusals: list[Refusal] = []
    chosen: dict[str, tuple[Method, dict[str, Value]]] = {}
    for step in recipe.steps:
        method = methods.get(step.method)
        if method is None:
            sentence = f"there is no method {step.method!r}; see 'effauto methods list'"
            refusals.append(Refusal(step.method, "known", sentence))
            continue
        try:
            chosen[method.name] = method, complete(method.knobs, step.setting)
        except SettingError as error:
            refusals.append(Refusal(method.name, "setting", f"{method.name}: {error}"))
    refusals += _slots_taken_twice([method for method, _ in chosen.values()])
    for method, _ in chosen.values():
        refusals += unusable(method, task, model, hardware)
    ordered, reasons, cycle = order([method for method, _ in chosen.values()])
    refusals += cycle
    facts, unmet = _simulate(ordered, model.facts)
    refusals += unmet
    steps = tuple(chosen[method.name] for method in ordered)
    return Composition(recipe, steps, tuple(reasons), tuple(refusals), facts)


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
    import networkx as nx

    by_name = {method.name: method for method in sorted(methods, key=lambda m: m.name)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(by_name)
    for first in by_name.values():
        for second in by_name.values():
            reason = _why_before(first, second)
            if reason:
                graph.add_edge(first.name, second.name, reason=reason)
    try:
        names = list(
            nx.lexicographical_topological_sort(
                graph, key=lambda name: (STAGES.index(by_name[name].stage), name)
            )
        )
    except nx.NetworkXUnfeasible:
        circle = [edge[0] for edge in nx.find_cycle(graph)]
        sentence = f"{' → '.join([*circle, circle[0]])} each must come before the next"
        return list(by_name.values()), [], [Refusal(circle[0], "order", sentence)]
    reasons = []
    for first_name, second_name in pairwise(names):
        why = graph.get_edge_data(first_name, second_name, {"reason": "independent, so by name"})
        reasons.append(f"{first_name} before {second_name}: {why['reason']}")
    return [by_name[name] for name in names], reasons, []


def _why_before(first: Method, second: Method) -> str:
    if first is second:
        return ""
    if _names(second) & set(first.before):
        return f"{first.name} must precede {', '.join(_names(second) & set(first.before))}"
    if _names(first) & set(second.after):
        return f"{second.name} must follow {', '.join(_names(first) & set(second.after))}"
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
