"""Made-up examples that a linear head on a random transformer can learn."""

from __future__ import annotations

import random

from effauto import Examples
from effauto.task.examples import Target
from effauto.traits import TaskKind

TOPICS = (
    ["red", "warm", "fire", "sun", "summer", "desert", "heat", "flame"],
    ["blue", "cold", "ice", "snow", "winter", "river", "frost", "rain"],
    ["green", "leaf", "tree", "grass", "moss", "garden", "forest", "fern"],
)


def examples_of(kind: TaskKind, rows: int) -> Examples:
    """Words of three topics; a class is a topic, or whether both texts of a pair share one."""
    chance = random.Random(rows)
    inputs: list[tuple[str, ...]] = []
    targets: list[Target] = []
    for row in range(rows):
        topic, other = row % 3, chance.randrange(3)
        first, second = (
            chance.choices(TOPICS[which], k=chance.randint(2, 12)) for which in (topic, other)
        )
        if kind == "token-classification":
            inputs.append((*first, *second))
            targets.append((topic,) * len(first) + (other,) * len(second))
        elif kind == "pair-classification":
            inputs.append((" ".join(first), " ".join(second)))
            targets.append(int(topic == other))
        else:
            inputs.append((" ".join(first),))
            targets.append(topic)
    return Examples(kind, tuple(inputs), tuple(targets))
