"""What tests put into a store, and the processes that do so."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

from effauto.machine import Hardware, Rate
from effauto.recipe import Recipe
from effauto.resources import Figure, exactly
from effauto.store import Artefact, MethodVersion, Situation, Store, open_store
from effauto.store.bundle import import_results
from effauto.traits import ModelTraits, TaskTraits

HARDWARE = Hardware(
    name="desk",
    origin="detected",
    processor="Some CPU",
    cores=2,
    threads=2,
    flags=frozenset({"avx2"}),
    memory_bytes=8 << 30,
    rates={"memory": Rate(1e10, 9e9, 2e10)},
    watts=Rate(20, 10, 40),
)
SITUATION = Situation(
    task_name="questions",
    fingerprint="f00d",
    task=TaskTraits("text-classification", "accuracy", 5000, 6, 10.5, 20.0, 40.0),
    model=ModelTraits(
        "tiny", "transformer", 6, 384, 1536, 12, 30522, 512, 11_000_000, 1_774_464, frozenset("ab")
    ),
    hardware=HARDWARE,
)
RECIPE = Recipe.from_settings({"shrink": {"share": 0.25, "how": "alternate"}, "squeeze": {}})
FORETOLD = {
    "train.time": Figure(30.0, "s", 20.0, 45.0, "calibrated", "of a sibling"),
    "model.size": exactly(91e6, "byte", "closed-form"),
}
ARTEFACT = Artefact("out/model.safetensors", "ab" * 32, 90_868_376)
METHODS = {"shrink": MethodVersion("2", "bundled", "c0de")}


def measured(quality: float = 0.9, latency: float = 0.004, **more: Figure) -> dict[str, Figure]:
    return {
        "quality.accuracy": Figure(quality, "1", quality - 0.01, quality + 0.01, "measured"),
        "inference.latency": exactly(latency, "s"),
    } | more


def finished(
    store: Store,
    recipe: Recipe = RECIPE,
    *,
    quality: float = 0.9,
    latency: float = 0.004,
    seed: int = 0,
    study: int | None = None,
    task: str = "questions",
    purpose: str = "search",
) -> int:
    """Run a trial through, and return its number."""
    situation = replace(SITUATION, task_name=task, fingerprint=f"fingerprint of {task}")
    number = store.begin_trial(recipe, situation, purpose=purpose, seed=seed, study=study)  # type: ignore[arg-type]
    store.finish_trial(number, measured(quality, latency))
    return number


def write_many(url: str, first_seed: int, count: int) -> None:
    """In a process of its own: finish ``count`` trials."""
    store = open_store(url)
    for seed in range(first_seed, first_seed + count):
        finished(store, seed=seed)
    store.close()


def import_all(url: str, bundle: str) -> None:
    """In a process of its own: import a bundle."""
    store = open_store(url)
    import_results(store, Path(bundle))
    store.close()


def die_in_the_middle(url: str, count: int) -> None:
    """In a process of its own: finish ``count`` trials of a study, begin another, be killed."""
    store = open_store(url)
    study = store.begin_study({"data": "questions"}, SITUATION, seed=3)
    for seed in range(count):
        finished(store, seed=seed, study=study)
    store.begin_trial(RECIPE, SITUATION, purpose="search", seed=count, study=study)
    os.kill(os.getpid(), signal.SIGKILL)
