"""Small tasks that can be learnt, and machines and models for tests that load none."""

from __future__ import annotations

import random
from statistics import mean
from typing import Any

from effauto.machine import Hardware, Rate
from effauto.task.examples import Examples
from effauto.traits import ModelTraits, TaskKind, TaskTraits

TOPICS = {
    "fire": "red warm ember sun summer desert heat flame",
    "ice": "blue cold glacier snow winter river frost rain",
    "wood": "green leaf tree grass moss garden forest fern",
}
CLASSES = tuple(TOPICS)

HARDWARE = Hardware(
    name="desk",
    origin="profile",
    processor="Some CPU",
    cores=2,
    threads=2,
    flags=frozenset({"avx2"}),
    memory_bytes=8 << 30,
    rates={
        "matmul.float32": Rate(5e10, 3e10, 8e10),
        "matmul.bfloat16": Rate(2e10, 1e10, 5e10),
        "matmul.int8": Rate(5e10, 3e10, 8e10),
        "memory": Rate(1e10, 8e9, 2e10),
        "elementwise": Rate(1e9, 5e8, 2e9),
        "optimizer": Rate(3e8, 2e8, 5e8),
        "dispatch": Rate(2e5, 1e5, 3e5),
    },
    watts=Rate(20, 10, 40),
)
TASK = TaskTraits("text-classification", "accuracy", 2000, 3, 12.0, 20.0, 40.0)
NETWORK = ModelTraits(
    name="network",
    family="transformer",
    layers=6,
    width=384,
    feedforward=1536,
    heads=12,
    vocabulary=30522,
    max_tokens=512,
    embedding_parameters=11_919_360,
    layer_parameters=1_774_464,
    facts=frozenset(
        [
            "transformer",
            "pretrained",
            "encoder",
            "gradient_training",
            "float_weights",
            "dense_weights",
            "eager_module",
        ]
    ),
)
BAG = ModelTraits("bag-of-words", "linear", 0, 0, 0, 0, 0, 2**31, 0, 0, frozenset())


def examples_of(kind: TaskKind, rows: int, seed: int = 0) -> Examples:
    """A text's class is the topic of its words; a pair's, whether both texts have one topic."""
    generator = random.Random(seed)
    made = [_example(kind, row % 3, generator) for row in range(rows)]
    return Examples(kind, tuple(fields for fields, _ in made), tuple(target for _, target in made))


def _example(kind: TaskKind, topic: int, generator: random.Random) -> tuple[Any, Any]:
    other = generator.choice([topic, generator.randrange(3)])
    first, second = _words(topic, generator), _words(other, generator)
    if kind == "token-classification":
        return (*first, *second), (topic,) * len(first) + (other,) * len(second)
    if kind == "pair-classification":
        return (" ".join(first), " ".join(second)), int(topic == other)
    return (" ".join(first),), topic


def _words(topic: int, generator: random.Random) -> list[str]:
    return generator.choices(TOPICS[CLASSES[topic]].split(), k=generator.randint(2, 9))


def classes_of(kind: TaskKind) -> tuple[str, ...]:
    return ("other", "same") if kind == "pair-classification" else CLASSES


def traits_of(examples: Examples) -> TaskTraits:
    lengths = [2 + len(text.split()) for text in examples.texts]
    longest = float(max(lengths))
    classes = len(classes_of(examples.kind))
    return TaskTraits(
        examples.kind, "accuracy", len(examples), classes, mean(lengths), longest, longest
    )


def topic_rows(rows: int, seed: int = 0) -> list[dict[str, str]]:
    """Distinct rows of a data file."""
    texts = examples_of("text-classification", rows, seed)
    return [
        {"text": f"{text} {number}", "label": CLASSES[target]}  # type: ignore[index]
        for number, (text, target) in enumerate(zip(texts.texts, texts.targets, strict=True))
    ]
