"""What earlier trials say of a recipe that was not tried on this task yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sample_tasks import NETWORK, TASK

from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.prior import learn_prior
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.store import TrialRecord

OTHER = replace(TASK, kind="token-classification", classes=50, examples=10**6, tokens_mean=200.0)


def record(task, quality, *methods, traits=TASK, purpose="search", fidelity=1.0, state="finished"):
    return TrialRecord(
        number=1, origin="own", study=None, task=task, fingerprint=task, task_traits=traits,
        model=NETWORK, hardware="desk", recipe=Recipe.of(*methods), fidelity=fidelity, seed=0,
        purpose=purpose, state=state, error="", started_at=datetime.now(UTC), finished_at=None,
        seconds=1.0, foretold={},
        measured={"quality.accuracy": Figure(quality, "1", quality, quality, "measured")},
    )  # fmt: skip


def quality(records, *methods):
    return learn_prior(records, TASK, "mine", {}).quality(Candidate("network", Recipe.of(*methods)))


def test_knowing_nothing_is_said():
    figure = quality([])
    assert figure.note == "nothing is known yet"
    assert figure.high - figure.low > 0.4


def test_what_was_measured_here_is_foretold():
    records = [record("mine", 0.9, "good"), record("mine", 0.8, "good"), record("mine", 0.5)]
    assert quality(records, "good").value == 0.9
    assert quality(records).value == 0.5


def test_what_helped_elsewhere_is_hoped_to_help_here():
    records = [record(task, q, *methods) for task in ("a", "b", "c")
               for q, *methods in ((0.8,), (0.9, "good"), (0.6, "bad"))]  # fmt: skip
    good, plain, bad = quality(records, "good"), quality(records), quality(records, "bad")
    assert bad.value < plain.value < good.value
    assert 0.7 < plain.value < 0.85
    assert plain.low < 0.75
    assert quality(records, "never-seen").value < plain.value
    assert good.note == "from 9 earlier trials"


def test_tasks_like_this_one_count_most():
    near = [record("a", 0.9, "good"), record("a", 0.7)]
    far = [record("b", 0.3, "good", traits=OTHER), record("b", 0.7, traits=OTHER)]
    assert quality(near + far, "good").value > quality(near + far).value


@pytest.mark.parametrize(
    "change", [{"state": "failed"}, {"fidelity": 0.5}, {"purpose": "run"}], ids=str
)
def test_the_test_split_and_half_measures_do_not_count(change):
    assert quality([record("mine", 0.99, **change)]).note == "nothing is known yet"


def test_runs_on_other_tasks_count():
    assert quality([record("other", 0.9, purpose="run")]).note == "from 1 earlier trials"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_best_and_the_worst_can_be_learnt_from(value):
    figure = quality([record("a", value, "good"), record("b", value)], "good")
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
