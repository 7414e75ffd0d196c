"""Does a recipe of the method alone survive being written, and compose or say why not?"""

from __future__ import annotations

import json

from effauto.checks.check import require
from effauto.checks.costing import is_sentence
from effauto.checks.samples import MACHINE, MODELS, TASKS, settings
from effauto.composition import compose
from effauto.method import Method
from effauto.recipe import Recipe


def survives_json(method: Method) -> None:
    for setting in settings(method):
        recipe = Recipe.from_settings({method.name: setting})
        read = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
        require(read == recipe and read.key == recipe.key, f"{setting} does not survive JSON")


def composes_or_says_why(method: Method) -> None:
    recipe = Recipe.of(method.name)
    for task in TASKS:
        for model in MODELS:
            composition = compose(recipe, {method.name: method}, task, model, MACHINE)
            for refusal in composition.refusals:
                require(
                    is_sentence(refusal.sentence) and method.name in refusal.sentence,
                    f"the rule '{refusal.rule}' refuses without a sentence: {refusal.sentence!r}",
                )
            if composition.legal:
                lost = (method.provides - composition.facts) | (method.removes & composition.facts)
                require(not lost, f"provides and removes contradict each other: {sorted(lost)}")
