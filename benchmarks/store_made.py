"""Makes a results database of any size, of trials that look like those of real searches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from effauto.machine import Hardware, Rate
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import Figure, exactly, resource_named
from effauto.store import MethodVersion, Situation
from effauto.store.bundle.lines import Line, digest_of
from effauto.traits import ModelTraits, TaskTraits

TASKS, MACHINES, MODELS = 40, 4, 3
# With quality, ten figures are measured of each trial.
COSTS = {
    "train.time": 60.0, "train.memory": 5e8, "train.energy": 900.0, "train.flops": 7e12,
    "inference.latency": 8e-3, "inference.throughput": 200.0, "inference.memory": 2e8,
    "model.size": 6e7, "model.parameters": 2e7,
}  # fmt: skip


def lines(count: int, seed: int = 0) -> Iterator[Line]:
    """So many trials, each with ten measurements; the same for the same seed."""
    draw = random.Random(seed)
    names = sorted(load_plugins().methods())
    situations = list(_situations())
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        recipe = Recipe.of(*sorted(draw.sample(names, draw.randint(0, 4))))
        situation = draw.choice(situations)
        started = begun + timedelta(seconds=number)
        columns = {
            "state": "finished" if draw.random() > 0.03 else "failed",
            "purpose": draw.choice(("search", "search", "run")),
            "fidelity": draw.choice((1.0, 1.0, 0.5, 0.25)),
            "seed": draw.randrange(3),
            "error": "",
            "started_at": started,
            "finished_at": started + timedelta(seconds=30),
            "seconds": 30.0,
            "versions": {"effauto": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0"},
            "source": "",
        }  # fmt: skip
        digest = digest_of(
            situation.fingerprint, recipe.key, columns["fidelity"], columns["seed"],
            columns["purpose"], started,
        )  # fmt: skip
        yield Line(
            str(UUID(int=draw.getrandbits(128), version=4)), digest, situation, recipe,
            dict.fromkeys(recipe.settings, MethodVersion("1", "bundled")), {}, _measured(draw),
            columns,
        )  # fmt: skip


def _measured(draw: random.Random) -> dict[str, Figure]:
    quality = draw.betavariate(8, 2)
    low, high = max(0.0, quality - 0.01), min(1.0, quality + 0.01)
    figures = {"quality.accuracy": Figure(quality, "1", low, high, "measured")}
    for name, middle in COSTS.items():
        unit = resource_named(name).unit
        figures[name] = exactly(middle * draw.lognormvariate(0, 0.7), unit)
    return figures


def _situations() -> Iterator[Situation]:
    for task in range(TASKS):
        traits = TaskTraits(
            "text-classification", "accuracy", 1000 + 50 * task, 4, 12.0, 24.0, 40.0
        )
        for model in range(MODELS):
            source = ModelTraits(
                f"model-{model}", "transformer", 6, 384, 1536, 12, 30522, 512, 11_000_000,
                1_774_464, frozenset({"transformer", "pretrained"}),
            )  # fmt: skip
            machine = Hardware(
                name=f"machine-{(task + model) % MACHINES}", origin="detected", processor="a CPU",
                cores=2, threads=2, flags=frozenset({"avx2"}), memory_bytes=8 << 30,
                rates={"memory": Rate(1e10, 9e9, 2e10)}, watts=Rate(20, 10, 40),
            )  # fmt: skip
            yield Situation(f"task-{task}", f"{task:016x}", traits, source, machine)
