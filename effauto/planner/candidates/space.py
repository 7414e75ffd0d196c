"""The space of candidates: one categorical a slot, a switch for each other method, knobs below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import fmean
from types import MappingProxyType
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

from effauto.knobs import Choice, Float, Int, Knob, Value
from effauto.method import Method
from effauto.planner.candidate import Candidate
from effauto.recipe import Recipe

MODEL, NONE, USED = "model", "none", "used"
# So many methods a sample has on average, for most good recipes combine few; of one slot or switch
# it uses no more than this share.
FEW, OFTEN = 2.5, 0.6
# To such decimals ConfigSpace rounds, so that a value stays what it is on its way there and back.
ROUND_PLACES = 13
EVEN: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Space:
    """A ConfigSpace in which most of what cannot be combined cannot be drawn.

    ``usable`` maps each model to the methods that can act on it here; a slot or switch exists
    only beside the models for which it offers something.
    """

    configspace: ConfigurationSpace
    usable: Mapping[str, Mapping[str, Method]]

    def candidate(self, configuration: Configuration) -> Candidate:
        """The candidate that a configuration stands for."""
        model, names = self.chosen(configuration)
        numbers = configuration.get_array()
        settings = {
            name: {knob: read(float(numbers[at])) for knob, at, read in self._knobs[name]}
            for name in names
        }
        return Candidate(model, Recipe.from_settings(settings))

    def chosen(self, configuration: Configuration) -> tuple[str, frozenset[str]]:
        """The model of a configuration, and the names of its methods."""
        model, numbers = configuration[MODEL], configuration.get_array()
        places = self._places[model]
        return model, frozenset(
            name for name, (at, value) in places.items() if numbers[at] == value
        )

    @cached_property
    def _knobs(self) -> Mapping[str, Sequence[tuple[str, int, Callable[[float], Value]]]]:
        """Of each method its knobs, where they are in a configuration's array, how to read them."""
        found: dict[str, list[tuple[str, int, Callable[[float], Value]]]] = {}
        for methods in self.usable.values():
            for name, method in methods.items():
                places = {knob: f"{name}.{knob}" for knob in method.knobs}
                found[name] = [
                    (
                        knob,
                        self.configspace.index_of[place],
                        _reader(self.configspace[place], method.knobs[knob]),
                    )
                    for knob, place in places.items()
                ]
        return found

    @cached_property
    def _places(self) -> Mapping[str, Mapping[str, tuple[int, float]]]:
        """For each model, where in a configuration's array a method is, and as what number.

        Reading a configuration by names takes many times longer.
        """
        found: dict[str, dict[str, tuple[int, float]]] = {}
        for model, known in self.usable.items():
            found[model] = {}
            for name, method in known.items():
                switch = _switch(method)
                value = self.configspace[switch].to_vector(_option(method))
                found[model][name] = self.configspace.index_of[switch], float(value)
        return found

    def without(self, configuration: Configuration, names: Collection[str]) -> Configuration:
        """The configuration with these methods left out."""
        if not names:
            return configuration
        known = self.usable[configuration[MODEL]]
        values = dict(configuration) | {_switch(known[name]): NONE for name in names}
        return Configuration(self.configspace, values=_active(self.configspace, values))

    def configuration(self, candidate: Candidate) -> Configuration:
        """The configuration that stands for ``candidate``; ValueError if it lies outside."""
        values: dict[str, Any] = {MODEL: candidate.model}
        chosen = candidate.recipe.settings
        known = self.usable[candidate.model]
        if missing := set(chosen) - set(known):
            raise ValueError(f"{', '.join(missing)} cannot be used here")
        for name, setting in chosen.items():
            values[_switch(known[name])] = _option(known[name])
            for knob_name, knob in known[name].knobs.items():
                value = setting.get(knob_name, knob.default)
                values[f"{name}.{knob_name}"] = str(value) if isinstance(knob, Choice) else value
        for name in self.configspace:
            if name not in values and "." not in name:
                values[name] = NONE
        return Configuration(self.configspace, values=_active(self.configspace, values))


def build_space(
    usable: Mapping[str, Mapping[str, Method]], seed: int, liking: Mapping[str, float] = EVEN
) -> Space:
    """The space over these models and methods; ``usable[model]`` are the methods for a model.

    ``liking`` tells how often a method is drawn, relative to those that it does not name.
    """
    model = CategoricalHyperparameter(MODEL, list(usable))
    methods = {name: method for known in usable.values() for name, method in known.items()}
    switches: dict[str, list[Method]] = {}
    for method in sorted(methods.values(), key=lambda method: method.name):
        switches.setdefault(_switch(method), []).append(method)
    weights = _weights(switches, liking)
    parts: list[Any] = [model]
    for name, offered in sorted(switches.items()):
        parts += _switch_parts(model, name, offered, usable, weights[name])
    space = ConfigurationSpace(seed=seed)
    space.add(parts)  # at once: each addition checks the whole space
    return Space(space, usable)


def _weights(
    switches: Mapping[str, Sequence[Method]], liking: Mapping[str, float]
) -> dict[str, list[float]]:
    """For each slot or switch the chance of none, then of each method, so that few are drawn."""
    liked = {name: [liking.get(m.name, 1.0) for m in offered] for name, offered in switches.items()}
    means = {name: fmean(found) for name, found in liked.items()}
    a_mean_one = FEW / sum(means.values()) if means else 0.0
    chances: dict[str, list[float]] = {}
    for name, found in liked.items():
        used = min(OFTEN, a_mean_one * means[name])
        chances[name] = [1 - used, *(used * each / sum(found) for each in found)]
    return chances


def _switch(method: Method) -> str:
    """Slots and methods live in one name space; a slot is marked."""
    return f"slot:{method.slot}" if method.slot else method.name


def _switch_parts(
    model: CategoricalHyperparameter,
    name: str,
    offered: Sequence[Method],
    usable: Mapping[str, Mapping[str, Method]],
    weights: Sequence[float],
) -> Iterator[Any]:
    """A switch, the models it exists beside, and the knobs below it."""
    options = [_option(method) for method in offered]
    switch = CategoricalHyperparameter(name, [NONE, *options], default_value=NONE, weights=weights)
    yield switch
    homes = [m for m, known in usable.items() if any(method.name in known for method in offered)]
    if len(homes) < len(usable):
        yield InCondition(switch, model, homes)
    for home in homes:
        for method, option in zip(offered, options, strict=True):
            if method.name not in usable[home]:
                yield ForbiddenAndConjunction(
                    ForbiddenEqualsClause(model, home), ForbiddenEqualsClause(switch, option)
                )
    for method, option in zip(offered, options, strict=True):
        for knob_name, knob in method.knobs.items():
            child = _hyperparameter(f"{method.name}.{knob_name}", knob)
            yield child
            yield EqualsCondition(child, switch, option)


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


def _option(method: Method) -> str:
    """What its switch says when the method is used."""
    return method.name if method.slot else USED


def _reader(parameter: Any, knob: Knob) -> Callable[[float], Value]:
    """From a number in a configuration's array to the knob's value, in its own type."""
    options = {str(option): option for option in knob.options} if isinstance(knob, Choice) else {}

    @lru_cache(maxsize=1024)  # ConfigSpace takes 20 µs for what comes again and again
    def read(number: float) -> Value:
        value = parameter.to_value(number)
        found: Value = options[value] if options else _plain(value)
        return found

    return read


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return round(plain, ROUND_PLACES) if isinstance(plain, float) else plain


def _active(space: ConfigurationSpace, values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what its parents switch off."""
    kept: dict[str, Any] = {}
    for name in space:  # parents come before their children
        conditions = space.parent_conditions_of[name]
        if all(c.parent.name in kept and c.satisfied_by_value(kept) for c in conditions):
            kept[name] = values.get(name, space[name].default_value)
    return kept
