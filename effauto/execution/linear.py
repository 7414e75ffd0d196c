"""A linear classifier on a bag of words: the cheapest model, and often enough.

Saved as JSON and safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from effauto.errors import ModelError
from effauto.execution.bag import TextFeatures, WindowFeatures
from effauto.execution.inputs import rows_of
from effauto.task.examples import Examples

_C = 10.0


@dataclass
class LinearPredictor:
    """``features`` turns rows into a sparse matrix; ``weights`` is (classes or 1, features).

    ``operations`` is what the solver's matrix products took, known only to who trained it.
    """

    kind: str
    classes: tuple[str, ...]
    features: TextFeatures | WindowFeatures
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    operations: float = 0.0

    def predict(self, inputs: Sequence[str | Sequence[str]], batch_size: int = 32) -> Any:
        """The label of each text or pair, or the tags of each list of tokens."""
        found = self.predict_indices(rows_of(inputs, self.kind), batch_size)
        if self.kind == "token-classification":
            return [[self.classes[tag] for tag in cast(tuple[int, ...], tags)] for tags in found]
        return [self.classes[cast(int, index)] for index in found]

    def predict_indices(
        self, rows: Sequence[tuple[str, ...]], batch_size: int = 32
    ) -> list[int | tuple[int, ...]]:
        """Like :meth:`predict`, as indices into ``classes``."""
        found: list[int | tuple[int, ...]] = []
        for start in range(0, len(rows), batch_size):
            found += self._predict_batch(rows[start : start + batch_size])
        return found

    def _predict_batch(self, rows: Sequence[tuple[str, ...]]) -> list[int | tuple[int, ...]]:
        scores = self.features.of(rows) @ self.weights.T + self.bias
        best = (scores[:, 0] > 0).astype(int) if len(self.weights) == 1 else scores.argmax(axis=1)
        if self.kind != "token-classification":
            return [int(index) for index in best]
        ends = np.cumsum([len(row) for row in rows])[:-1]
        return [tuple(int(tag) for tag in tags) for tags in np.split(best, ends)]

    @property
    def parameters(self) -> int:
        return self.weights.size + self.bias.size

    def request_operations(self, rows: Sequence[tuple[str, ...]]) -> float:
        """Operations of one request, in the mean over ``rows``."""
        return float(2 * self.features.of(rows).nnz / len(rows) * len(self.weights))

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        arrays = {"weights": self.weights, "bias": self.bias} | self.features.arrays()
        save_file(arrays, folder / "model.safetensors")
        (folder / "vocabulary.json").write_text(
            json.dumps(self.features.words(), ensure_ascii=False), encoding="utf-8"
        )

    @classmethod
    def open(cls, folder: Path, kind: str, classes: tuple[str, ...]) -> LinearPredictor:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            arrays = load_file(folder / "model.safetensors")
            words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"the model in {folder} cannot be read: {error}") from error
        features: TextFeatures | WindowFeatures
        if kind == "token-classification":
            features = WindowFeatures()
        else:
            features = TextFeatures.restored(kind == "pair-classification", words, arrays["idf"])
        return cls(kind, classes, features, arrays["weights"], arrays["bias"])


def fit_linear(examples: Examples, classes: tuple[str, ...], seed: int) -> LinearPredictor:
    """Train on all examples: logistic regression, or stochastic descent for tagging."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # on matrices this small threads wait for each other, mostly
        return _fit(examples, classes, seed)


def _fit(examples: Examples, classes: tuple[str, ...], seed: int) -> LinearPredictor:
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    if examples.kind == "token-classification":
        window = WindowFeatures()
        tags = [tag for target in examples.targets for tag in cast(tuple[int, ...], target)]
        model: Any = SGDClassifier(
            loss="log_loss", alpha=1e-6, max_iter=8, tol=None, random_state=seed
        )
        matrix = window.of(examples.inputs)
        model.fit(matrix, tags)
        return _predictor(examples.kind, classes, window, model, matrix)
    text = TextFeatures(pairs=examples.kind == "pair-classification").fit(examples.inputs)
    model = LogisticRegression(C=_C, max_iter=1000)
    matrix = text.of(examples.inputs)
    model.fit(matrix, list(examples.targets))
    return _predictor(examples.kind, classes, text, model, matrix)


def _predictor(
    kind: str,
    classes: tuple[str, ...],
    features: TextFeatures | WindowFeatures,
    model: Any,
    matrix: Any,
) -> LinearPredictor:
    passes = float(np.max(model.n_iter_))
    operations = passes * 2 * 2 * matrix.nnz * len(model.coef_)  # scores, and their gradients
    weights = np.ascontiguousarray(model.coef_, dtype=np.float32)  # as safetensors keeps it
    bias = model.intercept_.astype(np.float32)
    if len(model.classes_) < len(classes):  # a class that no row has
        if len(weights) == 1:
            weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
        full = np.zeros((len(classes), weights.shape[1]), dtype=np.float32)
        full_bias = np.full(len(classes), -1e9, dtype=np.float32)
        full[model.classes_], full_bias[model.classes_] = weights, bias
        weights, bias = full, full_bias
    return LinearPredictor(kind, classes, features, weights, bias, operations)
