"""effauto as a scikit-learn classifier of texts."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from effauto.api import load, plan, run
from effauto.errors import OutputError
from effauto.model import MINILM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from effauto.execution.artefact import Answers
    from effauto.listener import Listener

SETTINGS, ARTEFACT = "estimator.json", "model"
TEXT, PAIR = ("text",), ("text_a", "text_b")


class EffAutoClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Plans within a budget, trains what the plan says, and predicts with it.

    ``X`` holds texts, or pairs of texts; ``y`` any labels. The parameters are those of
    :func:`effauto.plan`; without ``search_time`` the plan comes at once from what is known.
    ``listener`` is told of each step (:class:`effauto.listener.Listener`).

    Attributes: ``classes_``, sorted labels; ``plan_`` and ``outcome_``, what was planned and
    measured. A pickle holds the model's files as bytes and no code of theirs; :meth:`save` and
    :meth:`load` use a folder and no pickle at all.
    """

    def __init__(
        self,
        budget: str | Sequence[str] = (),
        search_time: str | float | None = None,
        *,
        prefer: str | None = None,
        model: str = MINILM,
        recipe: str | None = None,
        metric: str | None = None,
        max_trials: int | None = None,
        store: str | None = None,
        random_state: int = 0,
        listener: Listener | None = None,
    ) -> None:
        self.budget = budget
        self.search_time = search_time
        self.prefer = prefer
        self.model = model
        self.recipe = recipe
        self.metric = metric
        self.max_trials = max_trials
        self.store = store
        self.random_state = random_state
        self.listener = listener

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = True
        return tags

    def fit(self, X: Sequence[Any], y: Sequence[Any]) -> Self:
        """Plan for these texts and labels, and train on them.

        A tenth each is held out, to choose by and to judge by. Raises EffautoError, with a
        sentence, for data or a budget that cannot be used.
        """
        labels = np.asarray(y)
        self.classes_: NDArray[Any] = np.unique(labels)
        with tempfile.TemporaryDirectory(prefix="effauto-fit-") as scratch:
            data = Path(scratch, "train.jsonl")
            data.write_text("".join(self._lines(X, labels)), encoding="utf-8")
            self.plan_ = plan(
                data,
                budget=self.budget,
                prefer=self.prefer,
                model=self.model,
                recipe=self.recipe,
                search_time=self.search_time,
                max_trials=self.max_trials,
                metric=self.metric,
                seed=self.random_state,
                store=self.store,
                listener=self.listener,
            )
            self.outcome_ = run(
                self.plan_, Path(scratch, ARTEFACT), store=self.store, listener=self.listener
            )
            self._take(Path(scratch, ARTEFACT))
        return self

    def predict(self, X: Sequence[Any]) -> NDArray[Any]:
        """The label of each text, or pair of texts."""
        check_is_fitted(self)
        rows = [row if isinstance(row, str) else tuple(map(str, row)) for row in X]
        places = [int(label) for label in self._predictor().predict(rows)] if rows else []
        return self.classes_[places]

    def save(self, folder: str | Path) -> None:
        """Write a folder of plain files; raises OutputError if there is something in it."""
        check_is_fitted(self)
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"{target} is not empty; name a new folder for the estimator")
        _write(self._files, target / ARTEFACT)
        settings = {**self.get_params(deep=False), "listener": None}
        known = {"settings": settings, "classes": self.classes_.tolist()}
        (target / SETTINGS).write_text(json.dumps(known, indent=2), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The estimator that :meth:`save` left; nothing in the folder is executed."""
        known = json.loads(Path(folder, SETTINGS).read_text(encoding="utf-8"))
        made = cls(**known["settings"])
        made.classes_ = np.asarray(known["classes"])
        made._take(Path(folder, ARTEFACT))
        return made

    def _lines(self, X: Sequence[Any], labels: NDArray[Any]) -> list[str]:
        """Labels as the places of their classes, so that any kind of them comes back."""
        places = np.searchsorted(self.classes_, labels)
        lines = []
        for row, place in zip(X, places, strict=True):
            texts = (row,) if isinstance(row, str) else tuple(map(str, row))
            names = PAIR if len(texts) == len(PAIR) else TEXT
            record = dict(zip(names, texts, strict=True)) | {"label": str(place)}
            lines.append(json.dumps(record) + "\n")
        return lines

    def _take(self, folder: Path) -> None:
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        self._files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        self._loaded: Answers | None = None

    def _predictor(self) -> Any:
        """The model, read from its files once in each process."""
        if self._loaded is None:
            scratch = tempfile.mkdtemp(prefix="effauto-model-")
            try:
                _write(self._files, Path(scratch))
                self._loaded = load(scratch)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        return state | ({"_loaded": None} if "_files" in state else {})


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
