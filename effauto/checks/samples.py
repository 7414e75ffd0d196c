"""The tasks, models, workloads and settings that every method is asked about."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from effauto.knobs import Choice, Float, Int, Knob, Value
from effauto.machine import Hardware, Rate
from effauto.method import Method
from effauto.traits import (
    FROM_SCRATCH,
    MASKED_LANGUAGE_MODELING,
    PLAIN_TEXT,
    ModelTraits,
    TaskTraits,
)
from effauto.workload import Workload

RANDOM_SETTINGS = 8

TASKS = (
    TaskTraits("text-classification", "accuracy", 2_000, 2, 20, 48, 90, 0.02, 0.6),
    TaskTraits("text-classification", "macro_f1", 120_000, 77, 200, 480, 2_000, 0.3, 0.05),
    TaskTraits("pair-classification", "accuracy", 4_500, 3, 24, 40, 60, 0.0, 0.56),
    TaskTraits("token-classification", "accuracy", 300, 17, 15, 40, 120, 0.0, 0.2),
    TaskTraits("language-modeling", "compression", 3_000, 4_096, 128, 128, 128, 0.0, 1.0),
    TaskTraits("masked-language-modeling", "compression", 3_000, 4_096, 128, 128, 128, 0.0, 1.0),
)

_FACTS = frozenset(
    {
        "transformer",
        "pretrained",
        "encoder",
        "gradient_training",
        "float_weights",
        "dense_weights",
        "eager_module",
    }
)
_SMALL = ModelTraits(
    name="small",
    family="transformer",
    layers=6,
    width=384,
    feedforward=1536,
    heads=12,
    vocabulary=30_522,
    max_tokens=512,
    embedding_parameters=11_900_000,
    layer_parameters=1_774_000,
    facts=_FACTS,
)
_BASE = replace(
    _SMALL,
    name="base",
    layers=12,
    width=768,
    feedforward=3072,
    embedding_parameters=23_800_000,
    layer_parameters=7_088_000,
)
_UNTRAINED = ModelTraits(
    name="untrained",
    family="transformer",
    layers=4,
    width=192,
    feedforward=576,
    heads=6,
    vocabulary=4_096,
    max_tokens=512,
    embedding_parameters=786_624,
    layer_parameters=479_616,
    facts=_FACTS - {"pretrained", "encoder"} | {"from_scratch", "decoder"},
    layer_vectors=384,
    layer_rows=2_112,
    attention_width=192,
    key_width=192,
    gated=True,
    dropout=0.0,
    attention_dropout=0.0,
)
_UNTRAINED_ENCODER = replace(
    _UNTRAINED, name="untrained encoder", facts=_FACTS - {"pretrained"} | {"from_scratch"}
)
_LINEAR = ModelTraits(
    name="bag-of-words",
    family="linear",
    layers=0,
    width=0,
    feedforward=0,
    heads=0,
    vocabulary=0,
    max_tokens=2**31,
    embedding_parameters=0,
    layer_parameters=0,
    facts=frozenset(),
)
MODELS = (_SMALL, _BASE, _UNTRAINED, _UNTRAINED_ENCODER, _LINEAR)

MACHINE = Hardware(
    name="a small server",
    origin="profile",
    processor="x86-64",
    cores=4,
    threads=4,
    flags=frozenset({"avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16"}),
    memory_bytes=16 * 2**30,
    rates={
        "matmul.float32": Rate(3e11, 2e11, 4e11),
        "matmul.bfloat16": Rate(6e11, 2e11, 9e11),
        "matmul.int8": Rate(9e11, 3e11, 2e12),
        "memory": Rate(2e10, 1e10, 4e10),
        "elementwise": Rate(1e9, 5e8, 2e9),
        "optimizer": Rate(2e8, 1e8, 4e8),
        "dispatch": Rate(2e5, 1e5, 4e5),
    },
    watts=Rate(40, 20, 80),
)


def places() -> Iterator[tuple[TaskTraits, ModelTraits]]:
    """Each task with each model that may learn it: text is learnt from scratch, and only that."""
    for task in TASKS:
        for model in MODELS:
            if learnable(task, model):
                yield task, model


def learnable(task: TaskTraits, model: ModelTraits) -> bool:
    """Whether effauto would have the model learn the task: each kind of text has its own models."""
    from_scratch = FROM_SCRATCH in model.facts
    if task.kind not in PLAIN_TEXT:
        return not from_scratch
    return from_scratch and (task.kind == MASKED_LANGUAGE_MODELING) == ("encoder" in model.facts)


def workloads(task: TaskTraits, model: ModelTraits) -> Iterator[Workload]:
    """The untouched work, and the work as other methods may have left it."""
    untouched = Workload.untouched(task, model)
    yield untouched
    yield replace(
        untouched,
        layers=untouched.layers / 2,
        stored_layers=untouched.layers / 2,
        layer_bits=8.0,
        compute="int8",
    )
    yield replace(untouched, backward_passes=0.0, backward_depth=0.0, trainable_parameters=0.0)
    yield replace(untouched.on_share(0.05), density=0.1, embedding_bits=16.0)


def settings(method: Method) -> Iterator[dict[str, Value]]:
    """The defaults, both ends of every range, and random settings that are always the same."""
    yield {name: knob.default for name, knob in method.knobs.items()}
    yield {name: _ends(knob)[0] for name, knob in method.knobs.items()}
    yield {name: _ends(knob)[-1] for name, knob in method.knobs.items()}
    chance = random.Random(0)
    for _ in range(RANDOM_SETTINGS if method.knobs else 0):
        yield {name: _drawn(knob, chance) for name, knob in method.knobs.items()}


def _ends(knob: Knob) -> tuple[Value, ...]:
    return knob.options if isinstance(knob, Choice) else (knob.low, knob.high)


def _drawn(knob: Knob, chance: random.Random) -> Value:
    if isinstance(knob, Choice):
        return chance.choice(knob.options)
    if isinstance(knob, Int):
        return chance.randint(knob.low, knob.high)
    share = chance.random()
    drawn = _between(knob, share)
    return min(max(drawn, knob.low), knob.high)


def _between(knob: Float, share: float) -> float:
    if knob.log:
        return float(knob.low * (knob.high / knob.low) ** share)
    return knob.low + (knob.high - knob.low) * share
