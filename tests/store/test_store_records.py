"""What is written is what is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import ARTEFACT, FORETOLD, HARDWARE, METHODS, RECIPE, SITUATION, finished, measured

from effauto.errors import StoreError
from effauto.machine import Rate
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.store import MethodVersion, Store
from effauto.store.models import Machine, Study, Task
from effauto.store.query import trial, trials

REQUEST = {"data": "questions", "budget": [["model.size", 25]]}


def test_a_trial_comes_back_whole(store: Store) -> None:
    study = store.begin_study(REQUEST, SITUATION, seed=7)
    number = store.begin_trial(
        RECIPE,
        SITUATION,
        purpose="search",
        seed=2**40,
        study=study,
        fidelity=0.25,
        foretold=FORETOLD,
        methods=METHODS,
    )
    assert trial(store, number).state == "running"
    store.finish_trial(number, measured(), [ARTEFACT])
    record = trial(store, number)
    assert (record.state, record.study, record.origin) == ("finished", study, "own")
    assert (record.recipe, record.fidelity, record.seed) == (RECIPE, 0.25, 2**40)
    assert (record.foretold, record.measured) == (FORETOLD, measured())
    assert (record.task, record.task_traits) == ("questions", SITUATION.task)
    assert (record.model, record.hardware) == (SITUATION.model, "desk")
    assert record.methods == {"shrink": METHODS["shrink"], "squeeze": MethodVersion()}
    assert record.artefacts == (ARTEFACT,)
    assert record.versions["effauto"]
    assert record.seconds is not None
    assert record.seconds >= 0
    assert record.started_at.utcoffset() is not None


def test_a_failure_keeps_its_reason_and_what_was_seen(store: Store) -> None:
    number = store.begin_trial(Recipe(), SITUATION, purpose="run", seed=0)
    store.fail_trial(number, "no\0 memory \udcff", measured={"train.time": FORETOLD["train.time"]})
    record = trial(store, number)
    assert (record.state, record.error) == ("failed", "no memory ?")
    assert record.measured["train.time"].value == 30.0
    with pytest.raises(StoreError, match="is failed already"):
        store.finish_trial(number, measured())
    assert trial(store, number) == record


def test_what_does_not_exist_is_said(store: Store) -> None:
    for name in ("1", "-1", "x", "shipped-1", "", "9" * 40, "١"):
        with pytest.raises(StoreError, match="There is no trial"):
            trial(store, name)
    with pytest.raises(StoreError, match="no trial 5"):
        store.finish_trial(5, {})
    with pytest.raises(StoreError, match="no study 5"):
        store.finish_study(5, "finished", 1.0)


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    number = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=0)
    with pytest.raises(TypeError):
        store.finish_trial(number, measured(), [ARTEFACT, None])  # type: ignore[list-item]
    record = trial(store, number)
    assert (record.state, record.measured) == ("running", {})


def test_a_machine_stays_itself_when_calibrated_and_a_task_when_renamed(store: Store) -> None:
    calibrated = replace(HARDWARE, rates={"memory": Rate(2e10, 1e10, 3e10)}, calibrated=True)
    for situation in (SITUATION, replace(SITUATION, hardware=calibrated, task_name="Q")):
        store.begin_trial(RECIPE, situation, purpose="search", seed=0)
    one_thread = replace(SITUATION, hardware=replace(HARDWARE, threads=1))
    store.begin_trial(RECIPE, one_thread, purpose="search", seed=0)
    with store.own.reading() as session:
        machines = session.query(Machine).order_by(Machine.id).all()
        assert [machine.threads for machine in machines] == [2, 1]
        assert machines[0].details["calibrated"] is True
        assert session.query(Task).count() == 1


def test_a_study_remembers_what_was_asked(store: Store) -> None:
    study = store.begin_study(REQUEST, SITUATION, seed=7)
    store.finish_study(study, "finished", 12.5)
    with store.own.reading() as session:
        row = session.get_one(Study, study)
        assert (row.request, row.seed, row.state, row.seconds) == (REQUEST, 7, "finished", 12.5)
        assert row.uuid
        assert row.effauto_version


def test_only_an_unfinished_study_is_resumed(store: Store) -> None:
    assert store.resume_study(REQUEST) is None
    study = store.begin_study(REQUEST, SITUATION, seed=0)
    assert store.resume_study(REQUEST) is None, "this process works on it"
    store.finish_study(study, "interrupted", 1.0)
    assert store.resume_study({"data": "others"}) is None
    reordered = dict(reversed(REQUEST.items()))
    assert store.resume_study(reordered) == study
    store.finish_study(study, "finished", 2.0)
    assert store.resume_study(REQUEST) is None


names = st.text("abcdefgh", min_size=1, max_size=8)
# PostgreSQL keeps no NUL, and neither can be written in UTF-8 with half a surrogate pair.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
recipes = st.dictionaries(
    names,
    st.dictionaries(names, st.booleans() | st.integers(-(2**60), 2**60) | numbers | words),
    max_size=4,
).map(Recipe.from_settings)
figures = st.builds(
    lambda three, unit, note: Figure(three[1], unit, three[0], three[2], "measured", note),
    st.lists(numbers, min_size=3, max_size=3).map(sorted),
    st.sampled_from(["s", "byte", "1", "EUR"]),
    words,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recipe=recipes, seen=st.dictionaries(names.map("quality.{}".format), figures), error=words)
def test_any_recipe_and_figures_survive(
    store: Store, recipe: Recipe, seen: dict[str, Figure], error: str
) -> None:
    number = store.begin_trial(recipe, SITUATION, purpose="search", seed=0, foretold=seen)
    store.fail_trial(number, error, measured=seen)
    record = trial(store, number)
    assert (record.recipe, record.recipe.key) == (recipe, recipe.key)
    assert (record.foretold, record.measured, record.error) == (seen, seen, error)


def test_trials_of_one_store_have_rising_numbers(store: Store) -> None:
    numbers = [finished(store, seed=seed) for seed in range(5)]
    assert numbers == sorted(set(numbers))
    assert [record.number for record in trials(store)] == numbers[::-1]
