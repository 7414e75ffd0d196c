"""One training on one thread of this machine, in this process, judged on the whole test split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from effauto.execution.job import TRAIN, Job
from effauto.execution.judge import judge
from effauto.execution.train import train
from effauto.hardware import this_machine
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task import Task, write_split

PLAIN = "untouched"


def alone(method: str) -> Recipe:
    """A method at its defaults, or none."""
    return Recipe() if method == PLAIN else Recipe.of(method)


def trained(
    folder: Path, model: str, recipe: Recipe, task: Task, seed: int
) -> tuple[dict[str, float], float]:
    """What training costs, and the quality of what was saved to ``folder / "artefact"``."""
    methods = load_plugins().methods()
    for split in ("train", "test"):
        write_split(getattr(task, split), task.classes, folder / f"{split}.jsonl")
    job = Job(
        action=TRAIN,
        data=folder,
        model=model,
        recipe=recipe,
        task=task.traits,
        classes=task.classes,
        hardware=replace(this_machine(), threads=1),
        folder=folder / "artefact",
        cache=folder / "cache",
        seed=seed,
    )
    costs = train(job, methods, lambda what, share: None)
    figures = judge(job.judging("test"), lambda: methods, lambda what, share: None)
    return costs, figures[f"quality.{task.metric}"].value
