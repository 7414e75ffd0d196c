"""The space of candidates: one categorical a slot, a switch for each other method, knobs below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ConfigSpace import (
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    InCondition,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from effauto.knobs import Choice, Float, Int, Knob
from effauto.method import Method
from effauto.planner.candidate import Candidate
from effauto.recipe import Recipe

MODEL, NONE, USED = "model", "none", "used"
# How often a sample leaves a slot empty or a switch off: most good recipes combine few methods.
EMPTY = 0.6


@dataclass(frozen=True)
class Space:
    """A ConfigSpace in which most of what cannot be combined cannot be drawn.

    ``usable`` maps each model to the methods that can act on it here; a slot or switch exists
    only beside the models for which it offers something.
    """

    configspace: ConfigurationSpace
    usable: Mapping[str, Mapping[str, Method]]

    def candidate(self, values: Mapping[str, Any]) -> Candidate:
        """The candidate that a configuration stands for."""
        model = values[MODEL]
        settings: dict[str, dict[str, Any]] = {}
        for method in self.usable[model].values():
            if _chosen(method, values):
                settings[method.name] = {
                    knob: _plain(values[f"{method.name}.{knob}"])
                    for knob in method.knobs
                    if f"{method.name}.{knob}" in values
                }
        return Candidate(model, Recipe.from_settings(settings))

    def configuration(self, candidate: Candidate) -> Configuration:
        """The configuration that stands for ``candidate``; ValueError if it lies outside."""
        values: dict[str, Any] = {MODEL: candidate.model}
        chosen = candidate.recipe.settings
        known = self.usable[candidate.model]
        if missing := set(chosen) - set(known):
            raise ValueError(f"{', '.join(missing)} cannot be used here")
        for name, setting in chosen.items():
            values[_switch(known[name])] = name if known[name].slot else USED
            for knob_name, knob in known[name].knobs.items():
                value = setting.get(knob_name, knob.default)
                values[f"{name}.{knob_name}"] = str(value) if isinstance(knob, Choice) else value
        for name in self.configspace:
            if name not in values and "." not in name:
                values[name] = NONE
        return Configuration(self.configspace, values=_active(self.configspace, values))


def build_space(usable: Mapping[str, Mapping[str, Method]], seed: int) -> Space:
    """The space over these models and methods; ``usable[model]`` are the methods for a model."""
    space = ConfigurationSpace(seed=seed)
    model = CategoricalHyperparameter(MODEL, list(usable))
    space.add(model)
    methods = {name: method for known in usable.values() for name, method in known.items()}
    switches: dict[str, list[Method]] = {}
    for method in sorted(methods.values(), key=lambda method: method.name):
        switches.setdefault(_switch(method), []).append(method)
    for name, offered in sorted(switches.items()):
        _add_switch(space, model, name, offered, usable)
    return Space(space, usable)


def _switch(method: Method) -> str:
    """Slots and methods live in one name space; a slot is marked."""
    return f"slot:{method.slot}" if method.slot else method.name


def _add_switch(
    space: ConfigurationSpace,
    model: CategoricalHyperparameter,
    name: str,
    offered: Iterable[Method],
    usable: Mapping[str, Mapping[str, Method]],
) -> None:
    offered = list(offered)
    options = [method.name if method.slot else USED for method in offered]
    share = (1 - EMPTY) / len(options)
    switch = CategoricalHyperparameter(
        name, [NONE, *options], default_value=NONE, weights=[EMPTY, *[share] * len(options)]
    )
    space.add(switch)
    homes = [m for m, known in usable.items() if any(method.name in known for method in offered)]
    if len(homes) < len(usable):
        space.add(InCondition(switch, model, homes))
    for home in homes:
        space.add(
            ForbiddenAndConjunction(
                ForbiddenEqualsClause(model, home), ForbiddenEqualsClause(switch, option)
            )
            for method, option in zip(offered, options, strict=True)
            if method.name not in usable[home]
        )
    for method, option in zip(offered, options, strict=True):
        for knob_name, knob in method.knobs.items():
            child = _hyperparameter(f"{method.name}.{knob_name}", knob)
            space.add(child)
            space.add(EqualsCondition(child, switch, option))


def _hyperparameter(name: str, knob: Knob) -> Any:
    if isinstance(knob, Float):
        return UniformFloatHyperparameter(
            name, knob.low, knob.high, default_value=knob.default, log=knob.log
        )
    if isinstance(knob, Int):
        return UniformIntegerHyperparameter(
            name, knob.low, knob.high, default_value=knob.default, log=knob.log
        )
    options = [str(option) for option in knob.options]
    return CategoricalHyperparameter(name, options, default_value=str(knob.default))


def _chosen(method: Method, values: Mapping[str, Any]) -> bool:
    return values.get(_switch(method)) == (method.name if method.slot else USED)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _active(space: ConfigurationSpace, values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what its parents switch off."""
    kept: dict[str, Any] = {}
    for name in space:  # parents come before their children
        conditions = space.parent_conditions_of[name]
        if all(c.parent.name in kept and c.satisfied_by_value(kept) for c in conditions):
            kept[name] = values.get(name, space[name].default_value)
    return kept


def to_options(candidate: Candidate, methods: Mapping[str, Method]) -> Candidate:
    """Give choices their own type back: in a ConfigSpace every option is a word."""
    settings: dict[str, dict[str, Any]] = {}
    for name, setting in candidate.recipe.settings.items():
        settings[name] = {}
        for knob_name, value in setting.items():
            knob = methods[name].knobs[knob_name]
            if isinstance(knob, Choice):
                value = next(option for option in knob.options if str(option) == value)
            settings[name][knob_name] = value
    return Candidate(candidate.model, Recipe.from_settings(settings))
