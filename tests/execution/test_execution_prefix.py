"""Recipes that train alike share the training, and are no different for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from effauto.execution import cache
from effauto.recipe import Recipe

SHARED = {"share_training": True}


def trainings(job):
    return sorted(path.name for path in job.cache.glob("trained-*.safetensors"))


@pytest.fixture
def runs(worker, job, tiny_model, tmp_path):
    """Run a recipe; its costs and the bytes of the model it saved."""

    def run(recipe, **changes):
        asked = replace(
            job(model=tiny_model, rows=60),
            recipe=Recipe.from_settings(recipe),
            cache=tmp_path,
            **changes,
        )
        values = worker.run(asked)["values"]
        return values, (asked.folder / "model.safetensors").read_bytes(), asked

    return run


def test_what_follows_a_training_need_not_wait_for_it(runs):
    anew, expected, _ = runs({"bf16-weights": {}})
    _, plain, asked = runs({}, details=SHARED)
    assert len(trainings(asked)) == 1
    charged, found, asked = runs({"bf16-weights": {}}, details=SHARED)
    assert len(trainings(asked)) == 1
    assert found == expected != plain
    assert charged["train.flops"] == pytest.approx(anew["train.flops"], rel=1e-6)
    assert charged["train.time"] > 0.3 * anew["train.time"]


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [({"full-finetune": {"epochs": 1}}, {}), ({}, {"seed": 1}), ({}, {"fidelity": 0.5})],
)
def test_another_training_is_another(runs, recipe, changes):
    runs({}, details=SHARED)
    _, _, asked = runs(recipe, details=SHARED, **changes)
    assert len(trainings(asked)) == 2


def test_nothing_is_shared_unless_asked(runs):
    _, _, asked = runs({})
    assert not trainings(asked)


def test_the_folder_is_bounded(monkeypatch, tmp_path):
    import numpy as np

    from effauto.execution.meter import Meter

    monkeypatch.setattr(cache, "MOST_BYTES", 3000)
    for name in ("a", "b", "c", "d"):
        cache.remember(tmp_path / name, lambda: {"x": np.zeros(100)}, Meter())
    kept = {path.stem for path in tmp_path.glob("*.safetensors")}
    assert "d" in kept
    assert "a" not in kept
    cache.remember(tmp_path / "large", lambda: {"x": np.zeros(1000)}, Meter())
    assert not (tmp_path / "large.safetensors").exists()
