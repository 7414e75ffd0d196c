"""The student: trained on the labels and on what the teacher answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from .teacher import NOT_ASKED, SoftTargets, answers, soft_targets

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_student(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    temperature: float,
    alpha: float,
    hidden: float,
) -> TaskModel:
    """Ask the teacher, then train by ``fit`` with its answers in the loss."""
    soft = soft_targets(examples, training, context)
    torch.manual_seed(context.seed)  # the same student whether the teacher was trained or kept
    loss = partial(
        distillation_loss, soft=soft, temperature=temperature, alpha=alpha, hidden=hidden
    )
    return fit(model, examples, replace(training, loss=loss), context)


def distillation_loss(
    model: TaskModel,
    batch: Batch,
    *,
    soft: SoftTargets,
    temperature: float,
    alpha: float,
    hidden: float,
) -> Tensor:
    """α T² KL(teacher ‖ student) at temperature T + (1 - α) cross-entropy (Hinton et al. 2015).

    T² keeps the gradients of the first term at the size of the second's. On top, ``hidden`` times
    :func:`likeness_loss`.
    """
    student, states = (part.float() for part in answers(model, batch))
    teacher, seen = soft.of(batch.rows)
    targets = batch.targets.flatten()
    hard = functional.cross_entropy(student, targets[targets != NOT_ASKED])
    softened = functional.kl_div(
        functional.log_softmax(student / temperature, dim=-1),
        functional.log_softmax(teacher / temperature, dim=-1),
        reduction="batchmean",
        log_target=True,
    )
    loss = alpha * temperature**2 * softened + (1 - alpha) * hard
    return loss + hidden * likeness_loss(states, seen) if hidden else loss


def likeness_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """How far from the teacher's is what the student holds to be alike (Tung and Mori 2019).

    ‖G_S - G_T‖² / b with G the products of the b states of a batch, its rows of length 1. The two
    may differ in width. (The paper divides by b once more, and weighs by thousands.)
    """
    alike = [functional.normalize(states @ states.T, dim=1) for states in (student, teacher)]
    return (alike[0] - alike[1]).square().sum() / len(student)
