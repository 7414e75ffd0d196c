"""The meta-features of a task, measured on its training rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from effauto.lengths import Lengths
from effauto.task.examples import Examples
from effauto.task.rows import normalised
from effauto.traits import TaskKind, TaskTraits

CountTokens = Callable[[Sequence[tuple[str, ...]], TaskKind], list[int]]

COUNTED_ROWS = 2_000
# English needs about this many word pieces a word, and two marks that frame the input.
PIECES_PER_WORD, FRAME = 1.3, 2


def measure(
    train: Examples,
    classes: int,
    metric: str,
    seed: int = 0,
    count_tokens: CountTokens | None = None,
) -> TaskTraits:
    """Measure ``train``; lengths on at most 2,000 rows drawn by ``seed``, with the longest row."""
    drawn = _drawn(train, seed)
    counts = sorted((count_tokens or estimate_tokens)(drawn, train.kind))
    labels = Counter(
        label for t in train.targets for label in (t if isinstance(t, tuple) else (t,))
    )
    distinct = {normalised(fields, train.kind) for fields in train.inputs}
    return TaskTraits(
        kind=train.kind,
        metric=metric,
        examples=len(train),
        classes=classes,
        tokens_mean=sum(counts) / len(counts),
        tokens_p95=counts[int(0.95 * (len(counts) - 1))],
        tokens_max=counts[-1],
        duplicate_share=1 - len(distinct) / len(train),
        majority_share=max(labels.values()) / labels.total(),
        length_counts=Lengths.of(counts).counts if count_tokens else (),
        side_counts=_sides(drawn, count_tokens)
        if count_tokens and train.kind == "pair-classification"
        else (),
    )


def estimate_tokens(inputs: Sequence[tuple[str, ...]], kind: TaskKind) -> list[int]:
    """Word pieces of each input, guessed from its words."""
    words = (sum(len(field.split()) for field in fields) for fields in inputs)
    return [round(PIECES_PER_WORD * count + FRAME) for count in words]


def _sides(pairs: Sequence[tuple[str, ...]], count_tokens: CountTokens) -> tuple[int, ...]:
    """How long the longer text of each pair is, read on its own."""
    sides = zip(*pairs, strict=True)
    counts = (count_tokens([(text,) for text in side], "text-classification") for side in sides)
    return Lengths.of(map(max, *counts)).counts


def _drawn(train: Examples, seed: int) -> list[tuple[str, ...]]:
    if len(train) <= COUNTED_ROWS:
        return list(train.inputs)
    longest = max(train.inputs, key=lambda fields: sum(map(len, fields)))
    return [*random.Random(seed).sample(train.inputs, COUNTED_ROWS - 1), longest]
