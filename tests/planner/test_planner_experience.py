"""Earlier trials on this machine correct what is foretold, each method by its own factor."""

from __future__ import annotations

import json

import pytest

from effauto.cost.corrections import LEAST_PAIRS
from effauto.planner.candidate import Candidate
from effauto.recipe import Recipe
from effauto.resources import exactly
from effauto.store import MethodVersion, open_store

PLAIN = Candidate("bag-of-words")
HALVED = Candidate("bag-of-words", Recipe.of("random-subset"))
UNSEEN = Candidate("bag-of-words", Recipe.of("near-dedup"))


@pytest.fixture
def tried(situation, tmp_path):
    """Note trials that took so many times what is foretold; return the planner's view of them."""

    def tried(times, count=20, version=None):
        before = situation()
        store = open_store(tmp_path / "results.db")
        for _ in range(count):
            for candidate, factor in times.items():
                trial = store.begin_trial(
                    candidate.recipe,
                    before.stored("bag-of-words"),
                    purpose="search",
                    seed=0,
                    methods=versions(candidate, version or before),
                )
                raw = before.oracle.foretell(candidate, raw=True)["train.time"].value
                store.finish_trial(trial, {"train.time": exactly(factor * raw, "s")})
        store.close()
        return situation()

    return tried


def versions(candidate, given):
    if isinstance(given, str):
        return {step.method: MethodVersion(given, "bundled") for step in candidate.recipe.steps}
    return given.versions(candidate)


def factor(known, candidate):
    raw = known.oracle.foretell(candidate, raw=True)["train.time"]
    return known.oracle.foretell(candidate)["train.time"].value / raw.value


def test_a_method_that_was_slower_than_foretold_is_foretold_slower(tried):
    known = tried({PLAIN: 2.0, HALVED: 6.0}, count=80)
    assert factor(known, HALVED) > 1.5 * factor(known, PLAIN)
    assert factor(known, HALVED) == pytest.approx(6.0, rel=0.3)
    assert known.oracle.foretell(PLAIN)["train.time"].tier == "corrected"


def test_what_another_version_of_a_method_did_does_not_count(tried):
    known = tried({HALVED: 6.0}, version="of long ago")
    assert factor(known, HALVED) == 1.0
    assert "20 of your trials do not count: their methods have another version now" in (
        known.task.notes
    )


def test_few_trials_leave_the_range_and_an_unseen_method_widens_it(tried):
    few = tried({PLAIN: 2.0}, count=LEAST_PAIRS - 1)
    raw = few.oracle.foretell(PLAIN, raw=True)["train.time"]
    told = few.oracle.foretell(PLAIN)["train.time"]
    assert told.high / told.low == pytest.approx(raw.high / raw.low)
    many = tried({PLAIN: 2.0}, count=30)
    seen, unseen = (many.oracle.foretell(c)["train.time"] for c in (PLAIN, UNSEEN))
    assert seen.high / seen.value < unseen.high / unseen.value


def test_what_was_learned_is_shown(tried, cli):
    tried({PLAIN: 2.0, HALVED: 6.0})
    told = cli("hardware", "calibrate", "--from-results")
    assert told.exit_code == 0
    assert "random-subset" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    learned = json.loads(cli("hardware", "calibrate", "--from-results", "--format", "json").stdout)
    found = learned["bag-of-words"]["train.time"]
    assert found["pairs"] == 40
    assert found["methods"]["random-subset"] > 0


def test_nothing_measured_teaches_nothing(cli):
    told = cli("hardware", "calibrate", "--from-results")
    assert told.exit_code == 0
    assert "nothing is corrected" in told.stdout
