"""The teacher: the untouched model, fine-tuned, asked once about every training example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from effauto import Training, collate, encode_training

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, TaskModel

NOT_ASKED = -100  # a word piece without a tag of its own


@dataclass(frozen=True)
class SoftTargets:
    """The teacher's logits, one row an answer: ``starts[row]`` is the first answer of an example.

    An example has one answer, or for tagging as many as it has words that were read.
    """

    logits: Tensor
    starts: Sequence[int]

    def of(self, rows: Sequence[int]) -> Tensor:
        """(answers, classes) of these examples, one after the other."""
        return torch.cat([self.logits[self.starts[r] : self.starts[r + 1]] for r in rows])


def answers(model: TaskModel, batch: Batch) -> Tensor:
    """The model's logits where an answer is asked for, (answers, classes), row by row."""
    logits: Tensor = model(**batch.inputs)
    return logits.flatten(0, -2)[batch.targets.flatten() != NOT_ASKED]


def soft_targets(examples: Examples, training: Training, context: Context) -> SoftTargets:
    """Fine-tune the teacher with default settings, batched as the student is, and ask it.

    Done once for all students of the same data; each is charged for it.
    """
    defaults = Training(
        max_tokens=training.max_tokens, padding=training.padding, group=training.group
    )
    grouping = getattr(training.group, "__qualname__", type(training.group).__qualname__)
    what = f"teacher-{training.max_tokens}-{training.padding}-{grouping}-{context.seed}"
    apart = replace(context, subject="teacher ")
    made = context.remember(what, lambda: _teach(examples, defaults, apart), built=False)
    logits = torch.from_numpy(made["logits"]).to(context.device)
    return SoftTargets(logits, made["starts"].tolist())


def _teach(examples: Examples, training: Training, context: Context) -> dict[str, Any]:
    teacher = context.untouched()
    teacher = training.fit(teacher, examples, training, context)
    return _ask(teacher, examples, training, context)


@torch.inference_mode()
def _ask(
    teacher: TaskModel, examples: Examples, training: Training, context: Context
) -> dict[str, Any]:
    encoded = encode_training(teacher, examples, training, context)
    by_length = sorted(range(len(encoded)), key=lambda row: encoded[row].length)
    found: dict[int, np.ndarray[Any, Any]] = {}
    for start in range(0, len(by_length), training.batch_size):
        rows = by_length[start : start + training.batch_size]
        batch = collate(rows, encoded, examples, replace(training, padding="longest"), context)
        with context.counting("ask", batch.tokens):
            given = answers(teacher, batch).float().cpu().numpy()
        asked = (batch.targets != NOT_ASKED).view(len(rows), -1).sum(dim=1).tolist()
        found |= zip(rows, np.split(given, np.cumsum(asked)[:-1]), strict=True)
    logits = [found[row] for row in range(len(encoded))]
    starts = np.cumsum([0, *map(len, logits)])
    return {"logits": np.concatenate(logits), "starts": starts}
