"""Rows that are kept from training, and how a model does on them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from effauto import collate, encode_training

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

NOT_ASKED = -100  # a word piece without a tag of its own


def held_out(labels: Sequence[int], share: float, seed: int) -> list[int]:
    """Row numbers, ascending: ``share`` of each class, rounded, and one row at least in all."""
    rows_of = defaultdict(list)
    for row, label in enumerate(labels):
        rows_of[label].append(row)
    held: list[int] = []
    for label, rows in rows_of.items():
        random.Random(f"held out {seed}/{label}").shuffle(rows)
        held += rows[: round(share * len(rows))]
    return sorted(held) or max(rows_of.values(), key=len)[:1]


def without(
    lengths: Sequence[int],
    epoch: int,
    epochs: int,
    generator: random.Random,
    *,
    held: Any,
    order: Any,
) -> list[int]:
    """What ``order`` reads, less the rows that are held out."""
    return [row for row in order(lengths, epoch, epochs, generator) if row not in held]


@torch.inference_mode()
def judge(
    model: TaskModel, *, examples: Examples, training: Training, context: Context, by: str
) -> float:
    """Accuracy, or minus the mean cross-entropy, on all ``examples``; higher is better."""
    encoded = encode_training(model, examples, training, context)
    by_length = sorted(range(len(encoded)), key=lambda row: encoded[row].length)
    alike = replace(training, padding="longest")
    total = asked = 0.0
    with evaluating(model):
        for start in range(0, len(by_length), training.batch_size):
            rows = by_length[start : start + training.batch_size]
            batch = collate(rows, encoded, examples, alike, context)
            with context.counting("hold-out", batch.tokens):
                logits = model(**batch.inputs).flatten(0, -2).float()
            targets = batch.targets.flatten()
            wanted = targets != NOT_ASKED
            logits, targets = logits[wanted], targets[wanted]
            if by == "accuracy":
                total += float((logits.argmax(dim=-1) == targets).sum())
            else:
                total -= float(nn.functional.cross_entropy(logits, targets, reduction="sum"))
            asked += len(targets)
    return total / max(1.0, asked)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout and the like off, and afterwards as they were, module by module."""
    were = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in were:
            module.training = training
