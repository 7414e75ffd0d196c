"""A text that a small language model learns in seconds, and the job of training one on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from effauto.execution.artefact import load_artefact
from effauto.execution.job import TRAIN, Job
from effauto.execution.predictor import Predictor
from effauto.execution.train import train
from effauto.hardware import this_machine
from effauto.model.scratch import Size, write_untrained
from effauto.recipe import Recipe
from effauto.task import Task, load_task, write_split
from effauto.traits import TaskKind

SUM = "{} plus {} makes {}, and that is all there is.\n"


def task_of(folder: Path, kind: TaskKind, sums: int, rows: int) -> Task:
    """That many of the rows which the sums fill."""
    path = folder / "sums.txt"
    path.write_text("".join(SUM.format(n, n % 7, n + n % 7) for n in range(sums)), encoding="utf-8")
    return load_task(path, kind=kind, max_rows=rows)


def job_of(task: Task, folder: Path) -> Job:
    """The training of a tiny model on one thread."""
    write_untrained(folder / "model", Size(64, 2), task.tokenizer, 128)
    for split in ("train", "validation"):
        write_split(getattr(task, split), task.classes, folder / f"{split}.jsonl")
    return Job(
        action=TRAIN,
        data=folder,
        model=str(folder / "model"),
        recipe=Recipe(),
        task=task.traits,
        classes=task.classes,
        hardware=replace(this_machine(), threads=1),
        folder=folder / "artefact",
        cache=folder / "cache",
    )


def trained_by(job: Job) -> tuple[Predictor, dict[str, float]]:
    """The model, reloaded, and what its training took."""
    values = train(job, {}, lambda what, share: None)
    loaded = load_artefact(job.folder, dict, 1)
    assert isinstance(loaded, Predictor)
    return loaded, values
