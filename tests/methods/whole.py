"""Whole recipes: composed, trained, saved as an artefact, and loaded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from effauto import Examples, Predictor, Recipe, Setting, TaskTraits
from effauto.composition import Composition, compose
from effauto.execution.artefact import load_artefact
from effauto.execution.job import TRAIN, Job
from effauto.execution.train import train
from effauto.hardware import this_machine
from effauto.method import Method
from effauto.model.source import ModelSource
from effauto.plugins import load_plugins
from effauto.task import write_split

LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
CLASSES = ("a", "b", "c")


def composed(steps: Mapping[str, Setting], source: ModelSource, examples: Examples) -> Composition:
    """A recipe read for legality; skips the test where one of its plugins is not here."""
    hardware = replace(this_machine(), threads=1)
    recipe = Recipe.from_settings(steps)
    return compose(recipe, _methods(recipe), _traits(examples), source.traits, hardware)


def carried_out(
    steps: Mapping[str, Setting], source: ModelSource, examples: Examples, folder: Path
) -> tuple[dict[str, float], Predictor]:
    """What training a recipe cost, and its model as loaded from where it was saved."""
    recipe = Recipe.from_settings(steps)
    methods = _methods(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    write_split(examples, CLASSES, folder / "train.jsonl")
    job = Job(
        action=TRAIN,
        data=folder,
        model=str(source.files),
        recipe=recipe,
        task=_traits(examples),
        classes=CLASSES,
        hardware=replace(this_machine(), threads=1),
        folder=folder / "model",
        cache=folder / "cache",
    )
    values = train(job, methods, lambda what, share: None)
    loaded = load_artefact(job.folder, lambda: methods, 1)
    assert isinstance(loaded, Predictor)
    return values, loaded


def share_right(predictor: Predictor, examples: Examples) -> float:
    found = predictor.predict_indices(examples.inputs)
    right = [a == b for a, b in zip(found, examples.targets, strict=True)]
    return sum(right) / len(right)


def _methods(recipe: Recipe) -> dict[str, Method]:
    methods = load_plugins().methods()
    for name in recipe.settings:
        if name not in methods:
            pytest.skip(f"the plugin of {name} is not here")
    return methods


def _traits(examples: Examples) -> TaskTraits:
    return TaskTraits(examples.kind, "accuracy", len(examples), len(CLASSES), 14.0, 30, 60)
