"""A worker that all tests share, and jobs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from misbehaving import PLUGIN
from sample_tasks import HARDWARE, classes_of, examples_of, traits_of

from effauto.execution.job import TRAIN, Job
from effauto.execution.pool import Worker
from effauto.recipe import Recipe
from effauto.task import write_split
from effauto.traits import TaskKind


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@pytest.fixture(scope="session")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin whose methods break in every way."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "misbehaving.py").write_text(PLUGIN)
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Train a recipe on a small task of a kind, with a bag of words unless told otherwise."""

    def job(
        recipe: Recipe | None = None,
        kind: TaskKind = "text-classification",
        model: str | Path = "bag-of-words",
        rows: int = 120,
        **more: object,
    ) -> Job:
        train = examples_of(kind, rows)
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        write_split(train, classes_of(kind), data / "train.jsonl")
        write_split(examples_of(kind, 40, seed=1), classes_of(kind), data / "validation.jsonl")
        return Job(
            TRAIN, data, str(model), recipe or Recipe(), traits_of(train), classes_of(kind),
            more.pop("hardware", HARDWARE), tmp_path / "model", tmp_path / "cache", **more,
        )  # type: ignore[arg-type]  # fmt: skip

    return job
