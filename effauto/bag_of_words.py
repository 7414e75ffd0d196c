"""How large and how slow a linear model on bags of words is, foretold from its task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from effauto.traits import TaskKind, TaskTraits


@dataclass(frozen=True)
class _Solver:
    """How a linear model reads one kind of task; seconds are those of one core.

    A word piece gives ``per_token`` features; ``blocks`` of them stand side by side. The solver
    takes ``passes``, each so long for a feature that occurs and for a weight, times classes, and
    keeps ``solver_bytes`` a weight.
    """

    per_token: float
    blocks: float
    passes: float
    occurring_seconds: float
    weight_seconds: float
    solver_bytes: float
    request_seconds: float


# Fitted to this code on five sets of texts and one of tagged sentences: within a factor of two.
_SOLVERS: Mapping[TaskKind, _Solver] = {
    "text-classification": _Solver(1.5, 1.0, 60.0, 3e-9, 5e-8, 300.0, 2.6e-4),
    "pair-classification": _Solver(1.6, 2.0, 120.0, 3e-9, 5e-8, 300.0, 8.5e-4),
    "token-classification": _Solver(14.0, 1.0, 8.0, 1e-8, 0.0, 0.0, 1.8e-3),
}
# Single-core seconds: making a feature in training, twice read; and in answering.
LINEAR_TRAIN_FEATURE_SECONDS = 2e-6
LINEAR_FEATURE_SECONDS = 6e-7
# Distinct n-grams grow with about this power of the word pieces read (Heaps 1978); each is kept
# with its frequency. Tags are found from this many hashed features.
HEAPS_FACTOR, HEAPS_POWER = 3.7, 0.8
GRAM_BYTES = 17.5
HASHED_FEATURES = 2.0**17


@dataclass(frozen=True)
class BagOfWords:
    """One model: its ``features``, each with a weight for every one of ``outputs``."""

    features: float
    outputs: float
    features_a_token: float
    solver_bytes: float
    operations: float
    train_seconds: float
    request_seconds: float
    vocabulary_bytes: float

    @classmethod
    def of(cls, task: TaskTraits) -> BagOfWords:
        """The model that this task would train."""
        solver = _SOLVERS[task.kind]
        read = task.examples * task.tokens_mean
        tags = task.kind == "token-classification"
        grams = 0.0 if tags else HEAPS_FACTOR * read**HEAPS_POWER
        features = HASHED_FEATURES if tags else solver.blocks * grams
        outputs = 1.0 if task.classes == 2 else float(task.classes)
        occurring = read * solver.per_token
        a_pass = occurring * solver.occurring_seconds + features * solver.weight_seconds
        made = task.tokens_mean * solver.per_token
        return cls(
            features=features,
            outputs=outputs,
            features_a_token=solver.per_token,
            solver_bytes=solver.solver_bytes,
            operations=2 * 2 * occurring * outputs * solver.passes,
            train_seconds=occurring * LINEAR_TRAIN_FEATURE_SECONDS
            + solver.passes * outputs * a_pass,
            request_seconds=solver.request_seconds + made * LINEAR_FEATURE_SECONDS,
            vocabulary_bytes=grams * GRAM_BYTES,
        )
