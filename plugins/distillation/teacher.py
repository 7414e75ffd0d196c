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

    An example has one answer, or for tagging as many as it has words that were read. ``states``
    are what the logits were made from, in half precision.
    """

    logits: Tensor
    states: Tensor
    starts: Sequence[int]

    def of(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """(answers, classes) and (answers, width) of these examples, one after the other."""
        places = [slice(self.starts[row], self.starts[row + 1]) for row in rows]
        logits, states = (
            torch.cat([whole[place].float() for place in places])  # autocast joins no halves
            for whole in (self.logits, self.states)
        )
        return logits, states


def answers(model: TaskModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits where an answer is asked for, (answers, classes), and what the head saw there."""
    states = model.features(**batch.inputs)
    asked = batch.targets.flatten() != NOT_ASKED
    return tuple(t.flatten(0, -2)[asked] for t in (model.head(states), states))  # type: ignore[return-value]


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
    logits, states = (torch.from_numpy(made[name]) for name in ("logits", "states"))
    place = context.device
    return SoftTargets(logits.to(place), states.to(place), made["starts"].tolist())


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
    found: dict[int, tuple[Any, Any]] = {}
    for start in range(0, len(by_length), training.batch_size):
        rows = by_length[start : start + training.batch_size]
        batch = collate(rows, encoded, examples, replace(training, padding="longest"), context)
        with context.counting("ask", batch.tokens):
            logits, states = answers(teacher, batch)
        asked = (batch.targets != NOT_ASKED).view(len(rows), -1).sum(dim=1).tolist()
        parts = (torch.split(t.cpu(), asked) for t in (logits.float(), states.half()))
        found |= zip(rows, zip(*parts, strict=True), strict=True)
    ordered = [found[row] for row in range(len(encoded))]
    kept = [torch.cat(part).numpy() for part in zip(*ordered, strict=True)]
    starts = np.cumsum([0, *(len(part) for part, _ in ordered)])
    return {"logits": kept[0], "states": kept[1], "starts": starts}
