"""``effauto.Results``: the same answers as DataFrames."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import FORETOLD, RECIPE, SITUATION, finished, measured

import effauto
from effauto.errors import InputError, StoreError
from effauto.recipe import Recipe
from effauto.store import open_store

pytest.importorskip("pandas")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "results.db"
    store = open_store(place)
    for seed in (0, 1):
        finished(store, Recipe(), quality=0.8, latency=0.004, seed=seed)
        finished(store, Recipe.of("squeeze"), quality=0.82, latency=0.002, seed=seed)
    number = store.begin_trial(RECIPE, SITUATION, purpose="run", seed=4, foretold=FORETOLD)
    store.finish_trial(number, measured())
    store.close()
    return place


def test_every_answer_is_a_frame(path: Path) -> None:
    with effauto.Results(path) as results:
        everything = results.trials()
        assert list(everything["id"]) == ["5", "4", "3", "2", "1"]
        assert everything["inference.latency"].tolist() == [0.004, 0.002, 0.004, 0.002, 0.004]
        some = results.trials(
            where="inference.latency<=3ms", columns=["id", "quality.accuracy"], since="1d"
        )
        assert some.to_dict("list") == {"id": ["4", "2"], "quality.accuracy": [0.82, 0.82]}
        front = results.pareto("quality.accuracy", "inference.latency", purpose="search")
        assert set(front["id"]) == {"2", "4"}
        best = results.best(budget="inference.latency<=3ms", purpose="search")
        assert set(best["id"]) == {"2", "4"}
        compared = results.compare(1, 2).set_index("resource")
        assert compared.loc["inference.latency", "change"] == pytest.approx(0.5)
        effects = results.methods().set_index(["method", "resource"])
        assert effects.loc[("squeeze", "quality.accuracy"), "pairs"] == 2
        assert results.stats().loc[0, "trials"] == 5


def test_wrong_use_is_a_sentence(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        effauto.Results(tmp_path / "nothing.db")
    with effauto.Results(path) as results:
        with pytest.raises(InputError, match="is no column"):
            results.trials(columns=["beauty"])
        with pytest.raises(InputError, match="choose one with --task"):
            results.best()
