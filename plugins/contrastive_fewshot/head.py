"""A logistic regression on the features of a tuned network, written into its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from effauto import encode_training

from . import PASSES

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

# The bias of a class that the training rows do not have.
NEVER = -1e4


def fit_head(model: TaskModel, examples: Examples, training: Training, context: Context) -> None:
    """Solve on standardised features; the scaling is folded into the head."""
    features = features_of(model, examples, training, context)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    present, weights, biases = logistic((features - mean) / spread, examples.labels)
    weights = weights / spread
    head = model.head
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(NEVER)
        head.weight[present] = torch.as_tensor(weights).to(head.weight)
        head.bias[present] = torch.as_tensor(biases - weights @ mean).to(head.bias)


@torch.inference_mode()
def features_of(
    model: TaskModel, examples: Examples, training: Training, context: Context
) -> NDArray[Any]:
    """(rows, width), in one pass over rows sorted by length; not remembered: they are trained."""
    encoded = encode_training(model.eval(), examples, training, context)
    by_length = sorted(range(len(encoded)), key=lambda row: encoded[row].length)
    found = np.empty((len(encoded), model.feature_width), dtype=np.float32)
    for start in range(0, len(by_length), training.batch_size):
        rows = by_length[start : start + training.batch_size]
        arrays = context.pad([encoded[row] for row in rows])
        inputs = {name: torch.from_numpy(a).to(context.device) for name, a in arrays.items()}
        with context.counting("embed", inputs["input_ids"].numel()):
            found[rows] = model.features(**inputs).float().cpu().numpy()
    return found


def logistic(features: NDArray[Any], labels: list[int]) -> tuple[NDArray[Any], ...]:
    """The classes that there are, their (classes, width) weights and (classes,) biases."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    present = np.unique(labels)
    if len(present) == 1:
        return present, np.zeros((1, features.shape[1])), np.zeros(1)
    with threadpool_limits(1):  # more threads wait for one another longer than they compute
        solved = LogisticRegression(max_iter=PASSES).fit(features, labels)
    if len(present) == 2:  # scikit-learn keeps the difference of the two only
        half, bias = solved.coef_[0] / 2, solved.intercept_[0] / 2
        return present, np.stack([-half, half]), np.array([-bias, bias])
    return present, solved.coef_, solved.intercept_
