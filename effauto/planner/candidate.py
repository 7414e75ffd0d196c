"""A candidate answer, and what is foretold of it before it is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from effauto.composition import Composition, compose
from effauto.cost import Correction, Place, Prices, estimate
from effauto.cost.account import Tariff
from effauto.cost.life import Use, life_figures
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model import ModelSource
from effauto.recipe import Recipe
from effauto.resources import Figure, Figures
from effauto.traits import TaskTraits
from effauto.workload import Workload


@dataclass(frozen=True)
class Candidate:
    """A model and the recipe applied to it."""

    model: str
    recipe: Recipe = field(default_factory=Recipe)

    @property
    def key(self) -> str:
        return f"{self.model}:{self.recipe.key}"

    @property
    def described(self) -> str:
        """Its name, unlike any other candidate's: with the settings that were chosen."""
        steps = [
            f"{step.method} ({', '.join(f'{knob}={value}' for knob, value in step.values)})"
            if step.values
            else step.method
            for step in self.recipe.steps
        ]
        return f"{self.model}: {' + '.join(steps) or self.recipe}"

    def __str__(self) -> str:
        return f"{self.model}: {self.recipe}"


@dataclass
class Oracle:
    """Reads candidates for legality and cost; remembers its answers.

    ``corrections``, by model, come from (foretold, measured) pairs and are replaced as these grow.
    """

    task: TaskTraits
    models: Mapping[str, ModelSource]
    methods: Mapping[str, Method]
    hardware: Hardware
    prices: Prices
    place: Place
    use: Use | None = None

    def __post_init__(self) -> None:
        self._compositions: dict[str, Composition] = {}
        self._alike: dict[tuple[str, tuple[str, ...]], Composition] = {}
        self._work: dict[str, Workload] = {}
        self._foretold: dict[tuple[str, float], dict[str, Figure]] = {}
        self._corrections: Mapping[str, Mapping[str, Correction]] = {}

    @property
    def corrections(self) -> Mapping[str, Mapping[str, Correction]]:
        return self._corrections

    @corrections.setter
    def corrections(self, learned: Mapping[str, Mapping[str, Correction]]) -> None:
        self._corrections = learned
        self._foretold.clear()

    @cached_property
    def untouched(self) -> dict[str, Workload]:
        return {
            name: Workload.untouched(self.task, source.traits)
            for name, source in self.models.items()
        }

    def composition(self, candidate: Candidate) -> Composition:
        """The candidate's steps in order, and what forbids them."""
        if candidate.key not in self._compositions:
            self._compositions[candidate.key] = self._composed(candidate)
        return self._compositions[candidate.key]

    def _composed(self, candidate: Candidate) -> Composition:
        """What was found of the same methods with other settings holds for these."""
        recipe = candidate.recipe
        methods = candidate.model, tuple(step.method for step in recipe.steps)
        known = self._alike.get(methods)
        found = known and known.resettled(recipe)
        if found is None:
            traits = self.models[candidate.model].traits
            found = compose(recipe, self.methods, self.task, traits, self.hardware)
            self._alike[methods] = found
        return found

    def work(self, candidate: Candidate) -> Workload:
        """The work that the whole recipe makes."""
        if candidate.key not in self._work:
            work = self.untouched[candidate.model]
            for method, setting in self.composition(candidate).steps:
                work = method.cost(work, setting)
            self._work[candidate.key] = work
        return self._work[candidate.key]

    def trained_part(self, candidate: Candidate) -> Candidate:
        """The candidate without the methods that act only when training is over."""
        settings = {
            method.name: candidate.recipe.settings[method.name]
            for method, _ in self.composition(candidate).steps
            if acts_before_trained(method)
        }
        return Candidate(candidate.model, Recipe.from_settings(settings))

    def foretell(
        self, candidate: Candidate, share: float = 1.0, *, raw: bool = False
    ) -> dict[str, Figure]:
        """What the candidate costs, trained on a share of the rows; ``raw`` without corrections."""
        if raw:
            return self._estimate(candidate, share, {})
        place = (candidate.key, share)
        if place not in self._foretold:
            found = self._estimate(candidate, share, self._learned(candidate))
            self._foretold[place] = found | self.life(found)
        return dict(self._foretold[place])

    def life(self, figures: Figures) -> dict[str, Figure]:
        """What a recipe of these figures takes over its life, if its use is known."""
        if self.use is None:
            return {}
        tariff = Tariff(self.hardware, self.prices, self.place)
        return dict(life_figures(figures, self.use, tariff))

    def _estimate(
        self, candidate: Candidate, share: float, corrections: Mapping[str, Correction]
    ) -> dict[str, Figure]:
        return estimate(
            self.work(candidate).on_share(share),
            self.hardware,
            prices=self.prices,
            place=self.place,
            corrections=corrections,
        )

    def _learned(self, candidate: Candidate) -> dict[str, Correction]:
        """What is known of its model here, with the factors of its methods."""
        methods = [step.method for step in candidate.recipe.steps]
        learned = self.corrections.get(candidate.model, {})
        return {resource: found.of_recipe(methods) for resource, found in learned.items()}


def acts_before_trained(method: Method) -> bool:
    """Whether the method has a say in what the training leaves."""
    verbs = ("prepare", "build", "train")
    return any(getattr(type(method), verb) is not getattr(Method, verb) for verb in verbs)
