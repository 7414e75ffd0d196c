"""EffAutoClassifier follows scikit-learn's contract, as far as it applies to texts."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from effauto import EffAutoClassifier, EffautoError
from effauto.listener import Listener

TEXTS = [f"{'good' if n % 2 else 'bad'} thing number {n} of {n % 11}" for n in range(160)]
LABELS = ["praise" if n % 2 else "blame" for n in range(160)]
ASKED = ["a good thing", "a bad thing"]


def made(**more: Any) -> EffAutoClassifier:
    return EffAutoClassifier(model="bag-of-words", **more)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> EffAutoClassifier:
    store = tmp_path_factory.mktemp("estimator") / "results.db"
    return made(budget="model.size<=1MiB", store=str(store)).fit(TEXTS, LABELS)


def test_the_contract_of_estimators() -> None:
    with pytest.warns(UserWarning, match="Can't test estimator"):
        found = check_estimator(made(), on_fail=None)
    assert found
    assert [one["check_name"] for one in found if one["status"] == "failed"] == []


def test_it_predicts_the_labels_it_was_given(fitted: EffAutoClassifier) -> None:
    assert list(fitted.classes_) == ["blame", "praise"]
    assert list(fitted.predict(ASKED)) == ["praise", "blame"]
    assert fitted.score(TEXTS, LABELS) > 0.95
    assert fitted.plan_.status == "feasible"
    assert fitted.outcome_.all_met
    assert fitted.predict([]).shape == (0,)


def test_labels_of_any_kind_come_back() -> None:
    numbers = np.where(np.arange(160) % 2, 7, -3)
    assert list(made().fit(np.array(TEXTS), numbers).predict(ASKED)) == [7, -3]


def test_pairs_are_read(fitted: EffAutoClassifier) -> None:
    pairs = [(text, "and more") for text in TEXTS]
    assert list(made().fit(pairs, LABELS).predict([("a good thing", "x")])) == ["praise"]


def test_a_pickle_is_whole(fitted: EffAutoClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert list(again.predict(ASKED)) == list(fitted.predict(ASKED))


def test_a_folder_needs_no_pickle(fitted: EffAutoClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "kept")
    assert not list((tmp_path / "kept").rglob("*.pkl"))
    again = EffAutoClassifier.load(tmp_path / "kept")
    assert list(again.predict(ASKED)) == list(fitted.predict(ASKED))
    assert again.get_params() == fitted.get_params()
    with pytest.raises(EffautoError, match="is not empty"):
        fitted.save(tmp_path / "kept")


def test_a_clone_is_not_fitted(fitted: EffAutoClassifier) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(ASKED)


def test_in_a_pipeline_and_cross_validated() -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    scores = cross_val_score(make_pipeline(lower, made()), TEXTS, LABELS, cv=2)
    assert scores.min() > 0.9


def test_it_is_told_of_progress() -> None:
    class Heard(Listener):
        def __init__(self) -> None:
            self.phases: list[str] = []

        def progress(self, what: str, share: float) -> None:
            self.phases.append(what)

    heard = Heard()
    made(listener=heard).fit(TEXTS, LABELS)
    assert {"fitting", "judging"} <= set(heard.phases)


def test_a_budget_that_nothing_meets_is_a_sentence() -> None:
    with pytest.raises(EffautoError, match="infeasible"):
        made(budget="model.size<=1kB").fit(TEXTS, LABELS)
