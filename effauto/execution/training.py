"""How a model is trained: a description that methods change, and the loop that follows it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto.execution.batches import Batch, collate, encode_training
from effauto.execution.encoding import FIRST_PIECE_ONLY, Pieces, padded_length
from effauto.execution.masking import Masking
from effauto.model.transformer import TaskModel
from effauto.task.examples import Examples
from effauto.traits import MASKED_LANGUAGE_MODELING
from effauto.transfer import parameter_groups
from effauto.workload import BASELINE, Baseline

if TYPE_CHECKING:
    from effauto.execution.context import Context

# (lengths of the rows, epoch, epochs, generator) -> row numbers in the order of reading
Order = Callable[[Sequence[int], int, int, random.Random], list[int]]
# (row numbers, lengths, batch size, generator) -> the rows of each batch
Grouping = Callable[[list[int], Sequence[int], int, random.Random], list[list[int]]]
Loss = Callable[[TaskModel, Batch], Tensor]
MakeOptimizer = Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]
View = Callable[[Batch, "Moment"], Batch]
AfterStep = Callable[[TaskModel, "Moment"], bool | None]
Fit = Callable[[TaskModel, Examples, "Training", "Context"], TaskModel]


def cross_entropy(model: TaskModel, batch: Batch) -> Tensor:
    """Mean negative log-likelihood of the targets (places of -100 have none).

    Of what a masked language model reads little is asked: only there are logits computed.
    """
    if model.kind == MASKED_LANGUAGE_MODELING:
        asked = batch.targets != FIRST_PIECE_ONLY
        logits = model.head(model.features(**batch.inputs)[asked]).float()
        losses = nn.functional.cross_entropy(logits, batch.targets[asked], reduction="sum")
        return losses / asked.sum().clamp(min=1)  # of rows that are cut short nothing may be asked
    logits = model(**batch.inputs)
    return nn.functional.cross_entropy(
        logits.flatten(0, -2).float(), batch.targets.flatten(), ignore_index=FIRST_PIECE_ONLY
    )


def shuffled(
    lengths: Sequence[int], epoch: int, epochs: int, generator: random.Random
) -> list[int]:
    """Every row once, in a new random order each epoch."""
    return generator.sample(range(len(lengths)), len(lengths))


def consecutive(
    order: list[int], lengths: Sequence[int], size: int, generator: random.Random
) -> list[list[int]]:
    """Batches cut from the order as it stands."""
    return [order[start : start + size] for start in range(0, len(order), size)]


def whole(batch: Batch, moment: Moment) -> Batch:
    """All of a batch, at every moment."""
    return batch


def adamw(groups: list[dict[str, Any]], learning_rate: float) -> torch.optim.Optimizer:
    """The default optimizer (Loshchilov and Hutter 2019), in one pass over its numbers."""
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


@dataclass(frozen=True)
class Moment:
    """Where a training stands after a step: ``step`` of ``steps``, in ``epoch`` (from 0)."""

    step: int
    steps: int
    epoch: int
    ends_epoch: bool


def by_gradient(
    model: TaskModel, examples: Examples, training: Training, context: Context
) -> TaskModel:
    """Minimise the loss: linear warm-up, linear decay, gradients clipped to norm 1."""
    encoded = encode_training(model, examples, training, context)
    batches = [
        list(training.batches(encoded, epoch, context.seed)) for epoch in range(training.epochs)
    ]
    descent = Descent(model, training, sum(map(len, batches)))
    computed, to_compute = 0, _tokens(chain.from_iterable(batches), encoded, training)
    for moment, rows in _moments(batches):
        batch = collate(rows, encoded, examples, training, context)
        read = training.view(batch, moment)
        with context.counting("train", read.tokens):
            descent.gradients(read)
        descent.update()
        computed += batch.tokens
        context.report("training", computed / to_compute)
        ended = [watch(model, moment) for watch in training.after_step]
        if any(ended):
            break
    return model.eval()


class Descent:
    """The steps of :func:`by_gradient`, one after the other, on a model that is set to training."""

    def __init__(self, model: TaskModel, training: Training, steps: int) -> None:
        self.model = model.train()
        self.loss = training.loss
        self.trainable = [p for p in model.parameters() if p.requires_grad]
        self.optimizer, self.schedule = _optimizer(model, training, steps)

    def gradients(self, batch: Batch) -> None:
        """The forward and the backward pass."""
        self.loss(self.model, batch).backward()  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """Clip the gradients, use them, and free them."""
        nn.utils.clip_grad_norm_(self.trainable, 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)


def _tokens(batches: Iterable[list[int]], encoded: Sequence[Pieces], training: Training) -> int:
    """Word pieces that these batches will compute, padding counted."""
    lengths = [padded_length(row.length) for row in encoded]
    longest = max(lengths) if training.padding == "fixed" else 0
    tokens = (len(rows) * (longest or max(lengths[row] for row in rows)) for rows in batches)
    return sum(tokens) * len(encoded[0].sides)


def _moments(batches: Sequence[Sequence[list[int]]]) -> Iterator[tuple[Moment, list[int]]]:
    steps = sum(map(len, batches))
    step = 0
    for epoch, all_rows in enumerate(batches):
        for place, rows in enumerate(all_rows, start=1):
            step += 1
            yield Moment(step, steps, epoch, place == len(all_rows)), rows


@dataclass(frozen=True)
class Training:
    """A description of training. Methods return a changed copy (``dataclasses.replace``).

    ``fit`` does it all and may be replaced as a whole; the default, :func:`by_gradient`, follows
    the other fields. ``padding`` is ``fixed`` (to the longest row of the data) or ``longest`` (of
    the batch). Warm-up is a share of the steps. ``optimizer`` makes one from parameter groups and
    the learning rate. ``view`` tells what of a batch is read in the step to come; ``masking``,
    what masked language models must foretell. Each of
    ``after_step`` is called after each step; one that returns True ends the training.
    """

    epochs: int = BASELINE.epochs
    learning_rate: float = BASELINE.learning_rate
    weight_decay: float = BASELINE.weight_decay
    warmup: float = BASELINE.warmup
    batch_size: int = BASELINE.batch_size
    max_tokens: int = BASELINE.max_tokens
    padding: str = "fixed"
    order: Order = shuffled
    group: Grouping = consecutive
    view: View = whole
    masking: Masking = Masking()
    loss: Loss = cross_entropy
    optimizer: MakeOptimizer = adamw
    after_step: tuple[AfterStep, ...] = ()
    fit: Fit = by_gradient

    @classmethod
    def of(cls, baseline: Baseline) -> Training:
        """As the baseline trains."""
        return cls(**asdict(baseline))

    def batches(self, encoded: Sequence[Pieces], epoch: int, seed: int) -> Iterator[list[int]]:
        """The row numbers of each batch of one epoch; the same for the same seed."""
        generator = random.Random(f"{seed}/{epoch}")
        lengths = [row.length for row in encoded]
        order = self.order(lengths, epoch, self.epochs, generator)
        yield from self.group(order, lengths, self.batch_size, generator)


def _optimizer(
    model: TaskModel, training: Training, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = training.optimizer(_groups(model, training), training.learning_rate)
    for group in optimizer.param_groups:
        group["lr"] *= group.pop("slower", 1.0)
    rising = max(1, round(training.warmup * steps))

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return max(0.0, (steps - step) / max(1, steps - rising))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def _groups(model: TaskModel, training: Training) -> list[dict[str, Any]]:
    """What is trained, by how fast it decays; and ``slower``, by which its rate is multiplied."""
    if model.scaled is not None:
        groups = parameter_groups(model, model.scaled, 1.0, training.weight_decay)
        kept = ("params", "weight_decay", *(("eps",) if training.optimizer is adamw else ()))
        return [{k: g[k] for k in kept} | {"slower": g["lr"]} for g in groups]
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": training.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
