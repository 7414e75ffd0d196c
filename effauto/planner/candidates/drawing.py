"""Legal recipes drawn at random: of few methods, those most often that are known to be good."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from ConfigSpace import Configuration

from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.candidates.climbing import ADAPTATION
from effauto.planner.candidates.pool import excess, singles
from effauto.planner.candidates.space import Space
from effauto.planner.situation import Situation
from effauto.recipe import Recipe

# A method that gains so many logits of quality is drawn e times as often, up to MOST_LIKED times.
GAIN, MOST_LIKED = 0.3, 4.0

Names = frozenset[str]


class Draws:
    """Configurations of a space drawn at random, each a legal recipe.

    Of what was drawn, methods are taken in a random order; one that cannot go with those before
    it is left out. Which can is remembered, for it does not depend on settings.
    """

    def __init__(self, space: Space, oracle: Oracle, seed: int) -> None:
        self.space, self._oracle = space, oracle
        self._generator = np.random.default_rng(seed)
        self._known: dict[tuple[str, Names], bool] = {}

    def __call__(self, count: int) -> list[Configuration]:
        """So many, at least two: of one, ConfigSpace makes no list."""
        return list(map(self._mended, self.space.configspace.sample_configuration(count)))

    def _mended(self, configuration: Configuration) -> Configuration:
        model, names = self.space.chosen(configuration)
        kept = names if self._legal(model, names) else self._together(model, names)
        return self.space.without(configuration, names - kept)

    def _together(self, model: str, names: Names) -> Names:
        """As many as go together; a second look takes in those that need what came later."""
        kept: Names = frozenset()
        order = self._generator.permutation(sorted(names)).tolist()
        for name in [*order, *order]:
            if name not in kept and self._legal(model, kept | {name}):
                kept |= {name}
        return kept

    def _legal(self, model: str, names: Names) -> bool:
        place = (model, names)
        if place not in self._known:
            candidate = Candidate(model, Recipe.of(*sorted(names)))
            self._known[place] = self._oracle.composition(candidate).legal
        return self._known[place]


def liking(situation: Situation) -> Mapping[str, float]:
    """How often to draw each method, relative to one of which nothing is known: for what it is
    known to gain in quality, and for how much nearer to the budget it is foretold to bring a model.
    """
    found: dict[str, float] = {}
    for candidate in singles(situation.oracle, situation.usable):
        for step in candidate.recipe.steps:
            found[step.method] = max(found.get(step.method, 0.0), _liked(situation, candidate))
    return found | dict.fromkeys(_settings(situation), MOST_LIKED)


def _settings(situation: Situation) -> set[str]:
    """What sets how models are trained from scratch: most of what there is to find out."""
    methods = situation.oracle.methods.items()
    return {name for name, m in methods if m.stage == "pretrain" and m.slot == ADAPTATION}


def _liked(situation: Situation, candidate: Candidate) -> float:
    prior, plain = situation.prior, Candidate(candidate.model)
    gain = prior.gain(candidate) - prior.gain(plain) if prior.informed else 0.0
    missed, here = (
        excess(situation.oracle.foretell(c), situation.budget)[0] for c in (plain, candidate)
    )
    liked = math.exp(gain / GAIN) * (1 + max(0.0, missed - here))
    return min(MOST_LIKED, max(1 / MOST_LIKED, liked))
