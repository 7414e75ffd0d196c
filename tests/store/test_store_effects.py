"""What trials say that recipes did to the untouched model, alone and together."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from samples import SITUATION, finished, measured

from effauto.recipe import Recipe
from effauto.store import open_store
from effauto.store.effects import effects, together
from effauto.store.query import trials

ONE, TWO = Recipe.of("one"), Recipe.of(two={"share": 0.5})
BOTH = Recipe.of("one", two={"share": 0.5})
TRIED = {
    Recipe(): (0.90, 0.010),
    ONE: (0.88, 0.005),
    TWO: (0.89, 0.008),
    BOTH: (0.86, 0.0045),
    Recipe.of("one", "two"): (0.5, 0.001),  # at another setting: its parts are not known
}


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / "results.db")
    for recipe, (quality, latency) in TRIED.items():
        for seed in (0, 1):
            finished(store, recipe, quality=quality + 0.01 * seed, latency=latency, seed=seed)
    finished(store, BOTH, quality=0.1, latency=1.0, seed=2)  # no untouched model with this seed
    finished(store, ONE, task="without a baseline")
    yield store
    store.close()


def test_an_effect_is_beside_the_untouched_model_of_its_seed(store):
    found = {effect.recipe: effect for effect in effects(trials(store))}
    assert found.keys() == TRIED.keys() - {Recipe()}
    effect = found[BOTH]
    assert effect.ratios == {"inference.latency": pytest.approx(0.45)}
    assert effect.quality == (pytest.approx(-0.04), pytest.approx(-0.04))
    assert effect.values["inference.latency"] == pytest.approx(0.0045)
    assert effect.untouched["quality.accuracy"] == pytest.approx(0.905)


def test_what_one_seed_did_not_measure_is_taken_from_the_others(store):
    here = replace(SITUATION, task_name="disturbed", fingerprint="disturbed")
    for recipe, latency in ((Recipe(), 0.010), (ONE, 0.005)):
        quiet = measured(0.9, latency)
        beside_others = {"quality.accuracy": quiet["quality.accuracy"]}
        for seed, figures in enumerate((beside_others, quiet)):
            number = store.begin_trial(recipe, here, purpose="run", seed=seed)
            store.finish_trial(number, figures)
    (effect,) = (e for e in effects(trials(store)) if e.task == "disturbed")
    assert len(effect.quality) == 2
    assert effect.ratios == {"inference.latency": pytest.approx(0.5)}


def test_pairs_stand_beside_the_product_of_their_parts(store):
    (pair,) = together(effects(trials(store)))
    assert pair.both.recipe == BOTH
    assert pair.expected("inference.latency") == pytest.approx(0.5 * 0.8)
    assert pair.expected("train.time") is None
    assert pair.to_json()["expected_quality"] == pytest.approx(-0.02 - 0.01)
    assert pair.to_json()["seeds"] == 2


def test_the_matrix_shows_them(store, cli, tmp_path, tiny_model):
    asked = ("methods", "matrix", "--db", tmp_path / "results.db", "--model", tiny_model)
    assert "Behind the stroke" not in cli(*asked).output  # they are of another model
    here = replace(SITUATION, model=replace(SITUATION.model, name=str(tiny_model)))
    for recipe, (quality, latency) in TRIED.items():
        number = store.begin_trial(recipe, here, purpose="run", seed=0)
        store.finish_trial(number, measured(quality, latency))
    said = cli(*asked).output
    assert "Behind the stroke: the product of what each did alone" in said
    assert [line.split()[0] for line in said.splitlines() if "0.45/0.40" in line] == ["one"]
    (pair,) = json.loads(cli(*asked, "--format", "json").output)["measured_together"]
    assert pair["expected"]["inference.latency"] == pytest.approx(0.4)
