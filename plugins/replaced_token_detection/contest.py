"""A generator that fills hidden places, and the model that learns to tell which it filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import Descent

from . import kept_heads

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, Moment, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]

NOT_ASKED = -100


def fit_contest(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    share: float,
    ending: float,
) -> TaskModel:
    """Train by ``fit`` to detect, and for the last part of it to foretell hidden pieces.

    Without that end the model could be fine-tuned, but not asked for what is hidden.
    """
    contest = Contest(_generator(model, context, share), training, ending)
    model.detector = _detector(model)
    # a step of it is dearer than one of what follows, so they are metered apart
    fit(model.joined(), examples, contest.training(), replace(context, subject="contest "))
    del model.detector
    rows = max(1, round(ending * training.epochs * len(examples)))
    epochs = max(1, rows // len(examples))
    left = examples.select(range(min(len(examples), rows)))
    return fit(model, left, replace(training, epochs=epochs), context)


def _generator(model: TaskModel, context: Context, share: float) -> TaskModel:
    """A model like it with ``share`` of its heads, at least one."""
    heads = int(model.config.num_attention_heads)
    size = int(model.config.hidden_size) // heads
    return context.narrower(size * kept_heads(heads, share))


def _detector(model: TaskModel) -> nn.Linear:
    made = nn.Linear(model.feature_width, 1).to(model.head.weight.device)
    with torch.no_grad():
        made.weight.div_(model.grown)
    return made


@dataclass
class Contest:
    """The loss of the detector (Clark et al. 2020, section 2); each step trains the generator, too.

    The sum of both losses is minimised; as the two share no numbers, each has its own optimizer and
    their weights do not matter.
    """

    generator: TaskModel
    given: Training
    ending: float
    moment: Moment | None = None
    descent: Descent | None = None
    logits: Tensor = field(default_factory=lambda: torch.empty(0))

    def training(self) -> Training:
        """Detection in the place of the loss that was due, until the end begins."""
        watched = (*self.given.after_step, self.over)
        return replace(self.given, loss=self, view=self.view, after_step=watched)

    def view(self, batch: Batch, moment: Moment) -> Batch:
        self.moment = moment
        return self.given.view(batch, moment)

    def over(self, model: TaskModel, moment: Moment) -> bool:
        return moment.step >= (1.0 - self.ending) * moment.steps

    def __call__(self, model: TaskModel, batch: Batch) -> Tensor:
        replaced, labels = self.filled(batch)
        detector: Any = model.detector
        scores = detector(model.features(**replaced)).squeeze(-1).float()
        read = batch.inputs["attention_mask"] == 1
        return nn.functional.binary_cross_entropy_with_logits(scores[read], labels[read].float())

    def filled(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """What the generator makes of a batch, having learnt from it; and where it erred."""
        if self.descent is None:
            assert self.moment is not None
            loss = replace(self.given, loss=self._foretell)
            self.descent = Descent(self.generator, loss, self.moment.steps)
        self.descent.gradients(batch)
        self.descent.update()
        asked = batch.targets != NOT_ASKED
        read = batch.inputs["input_ids"]
        original = torch.where(asked, batch.targets, read)
        made = original.clone()
        made[asked] = torch.multinomial(self.logits.softmax(dim=-1), 1).flatten()
        return batch.inputs | {"input_ids": made}, made != original

    def _foretell(self, generator: TaskModel, batch: Batch) -> Tensor:
        asked = batch.targets != NOT_ASKED
        logits = generator.head(generator.features(**batch.inputs)[asked]).float()
        self.logits = logits.detach()
        losses = nn.functional.cross_entropy(logits, batch.targets[asked], reduction="sum")
        return losses / asked.sum().clamp(min=1)
