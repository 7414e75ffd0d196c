"""Fit the head of a model whose body stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from effauto import embed

from .solvers import Array, logistic, ridge

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

# The bias of a class that the training rows do not have.
NEVER = -1e4


def fit_head(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    solver: str,
    C: float,
) -> TaskModel:
    """Embed the examples, solve, and write the solution into ``model.head``."""
    from threadpoolctl import threadpool_limits

    features, targets = embed(model, examples, training, context)
    present, known = np.unique(targets, return_inverse=True)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - mean) / spread
    context.report("fitting the head", 0.0)
    with threadpool_limits(1):  # more threads wait for one another longer than they compute
        if len(present) == 1:
            weights, biases = np.zeros((1, features.shape[1])), np.zeros(1)
        elif solver == "logistic":
            weights, biases = logistic(scaled, known, len(present), C, context.seed)
        else:
            weights, biases = ridge(scaled, known, len(present))
    weights = weights / spread  # the head sees features as they are
    _write(model, present, weights, biases - weights @ mean)
    return model.eval()


def _write(model: TaskModel, present: Array, weights: Array, biases: Array) -> None:
    head = model.head
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(NEVER)
        head.weight[present] = torch.as_tensor(weights).to(head.weight)
        head.bias[present] = torch.as_tensor(biases).to(head.bias)
