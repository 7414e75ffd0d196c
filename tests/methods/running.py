"""Carry out a whole recipe of several methods, as a worker does, and load what it saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from topics import examples_of

from effauto.composition import compose
from effauto.execution.artefact import load_artefact
from effauto.execution.job import TRAIN, Job
from effauto.execution.predictor import Predictor
from effauto.execution.train import train
from effauto.hardware import this_machine
from effauto.method import Method
from effauto.model.source import ModelSource
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task.examples import Examples
from effauto.task.exchange import write_split
from effauto.traits import TaskKind, TaskTraits

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Ran:
    """What a recipe measured, the rows it was trained on, and the predictor loaded again."""

    measured: Mapping[str, float]
    examples: Examples
    predictor: Predictor

    @property
    def right(self) -> float:
        """The share of the training rows that are answered rightly; tags all or nothing."""
        found = self.predictor.predict_indices(self.examples.inputs)
        return sum(a == b for a, b in zip(found, self.examples.targets, strict=True)) / len(found)


def bundled(*names: str) -> dict[str, Method]:
    """These methods; the test is skipped where the folder of one has been taken away."""
    methods = load_plugins().methods()
    for name in names:
        if name not in methods:
            pytest.skip(f"the plugin of {name} is not here")
    return {name: methods[name] for name in names}


def refusals(
    settings: Settings, source: ModelSource, kind: TaskKind = "text-classification"
) -> list[str]:
    """Why a recipe may not be run, one sentence each."""
    recipe, methods = Recipe.from_settings(settings), bundled(*settings)
    composed = compose(recipe, methods, _traits(kind, 48), source.traits, this_machine())
    return [refusal.sentence for refusal in composed.refusals]


def run(
    settings: Settings,
    source: ModelSource,
    folder: Path,
    kind: TaskKind = "text-classification",
    rows: int = 48,
) -> Ran:
    """Train the recipe on made-up topics with ``source``, save it, and load it."""
    examples, methods = examples_of(kind, rows), bundled(*settings)
    classes = ("a", "b", "c")[: 2 if kind == "pair-classification" else 3]
    folder.mkdir(parents=True, exist_ok=True)
    write_split(examples, classes, folder / "train.jsonl")
    job = Job(
        action=TRAIN,
        data=folder,
        model=source.name,
        recipe=Recipe.from_settings(settings),
        task=_traits(kind, rows),
        classes=classes,
        hardware=this_machine(),
        folder=folder / "artefact",
        cache=folder / "cache",
    )
    measured = train(job, methods, lambda what, share: None)
    predictor = load_artefact(job.folder, lambda: methods, 1)
    assert isinstance(predictor, Predictor)
    return Ran(measured, examples, predictor)


def _traits(kind: TaskKind, rows: int) -> TaskTraits:
    return TaskTraits(kind, "accuracy", rows, 2 if kind == "pair-classification" else 3, 14, 30, 60)
