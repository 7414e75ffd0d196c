"""Plans carried out: trained on everything, judged once on the test split, kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from misbehaving import PLUGIN
from sample_tasks import topic_rows

import effauto
from effauto import api
from effauto.budget import parse_budget
from effauto.errors import Crashed, IllegalRecipe, OutputError, PlanError
from effauto.planner.answers.plan_file import write_plan
from effauto.planner.running.run import check_output, run_plan
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.store import open_store
from effauto.store.query import trials


@pytest.fixture(scope="module")
def plan(task_folder):
    return api.plan(task_folder, model="bag-of-words", recipe="random-subset",
                    budget=["model.size<=1MiB", "quality.accuracy>=50%"])  # fmt: skip


@pytest.fixture(scope="module")
def ran(plan, tmp_path_factory):
    """The outcome of a run, and the database it is noted in."""
    folder = tmp_path_factory.mktemp("run")
    store = str(folder / "results.db")
    return api.run(plan, folder / "model", store=store), store


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_measures_what_the_plan_foretold(ran):
    outcome, _ = ran
    data = outcome.to_json()
    assert json.loads((outcome.folder / "measurement.json").read_text()) == data
    assert {"quality.accuracy", "train.time", "train.energy", "model.size", "inference.latency",
            "inference.memory", "train.labels"} <= set(data["measurement"])  # fmt: skip
    for figure in data["measurement"].values():
        assert {"value", "unit", "low", "high"} <= set(figure)
    assert [limit | {"limit": 0} for limit in data["budget"]] == [
        {"resource": "model.size", "limit": 0, "unit": "byte", "met": True},
        {"resource": "quality.accuracy", "limit": 0, "unit": "1", "met": True},
    ]
    assert data["measurement"]["train.labels"]["value"] == 120
    assert "60 rows" in data["measurement"]["quality.accuracy"]["note"]


def test_the_quality_is_that_on_the_test_split(ran, task_folder):
    outcome, _ = ran
    test = rows(task_folder / "test.jsonl")
    found = effauto.load(outcome.folder).predict([row["text"] for row in test])
    right = sum(a == row["label"] for a, row in zip(found, test, strict=True))
    assert outcome.measurement["quality.accuracy"].value == right / len(test)


def test_the_folder_has_a_card(ran, plan):
    outcome, _ = ran
    card = (outcome.folder / "README.md").read_text()
    assert "random-subset" in card
    assert plan.fingerprint in card
    assert "| quality.accuracy |" in card
    assert [path.name for path in outcome.folder.parent.iterdir() if path.is_dir()] == ["model"]


def test_the_run_is_remembered_with_its_files(ran):
    outcome, address = ran
    store = open_store(address)
    (record,) = trials(store)
    store.close()
    assert (record.purpose, record.state, record.number) == ("run", "finished", outcome.trial)
    assert record.artefacts[0].path == str(outcome.folder)
    assert set(record.foretold) >= {"train.time", "quality.accuracy"}


@pytest.mark.parametrize(("limit", "code"), [("model.size<=1MiB", 0), ("model.size<=1KiB", 3)])
def test_the_exit_code_says_whether_the_limits_were_kept(plan, cli, tmp_path, limit, code):
    write_plan(replace(plan, budget=parse_budget([limit])), tmp_path / "plan.json")
    told = cli("run", tmp_path / "plan.json", "--output", tmp_path / "out", "--format", "json")
    assert told.exit_code == code
    (verdict,) = json.loads(told.stdout)["budget"]
    assert verdict["met"] is (code == 0)


@pytest.fixture
def moved(plan, tmp_path):
    """The plan, whose data lie in a file that may be changed."""
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, topic_rows(200))))
    return api.plan(data, model="bag-of-words"), data


def test_data_that_have_changed_are_refused(moved, tmp_path):
    plan, data = moved
    data.write_text("\n".join(map(json.dumps, topic_rows(200, seed=9))))
    with pytest.raises(PlanError, match=r"have changed since the plan was made; make a new plan"):
        api.run(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_task_is_refused(moved, tmp_path):
    plan, _ = moved
    other = tmp_path / "other.jsonl"
    lines = [row | {"label": "cold" if row["label"] == "ice" else "hot"} for row in topic_rows(99)]
    other.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(
        PlanError, match=r"another task than the plan's: text-class.* into cold, hot"
    ):
        api.run(plan, tmp_path / "out", data=other)


def test_a_plan_that_is_infeasible_is_refused(task_folder, tmp_path):
    impossible = api.plan(task_folder, model="bag-of-words", budget="model.size<=1byte")
    with pytest.raises(PlanError, match="infeasible, so there is nothing to run"):
        api.run(impossible, tmp_path / "out")


def test_a_method_that_is_gone_is_named(plan, tmp_path):
    gone = replace(plan, recipe=Recipe.of("magic"), versions={"magic": "1"})
    with pytest.raises(IllegalRecipe, match="there is no method 'magic'"):
        api.run(gone, tmp_path / "out")


def test_prices_and_place_are_the_plans_own(task_folder):
    priced = api.plan(task_folder, model="bag-of-words", budget="train.cost<=1EUR",
                      prices=["1EUR/hour"], country="FRA")  # fmt: skip
    assert (priced.prices.currency, priced.place.country) == ("EUR", "FRA")


def test_a_crash_leaves_the_older_model_and_no_litter(plan, ran, tmp_path):
    outcome, _ = ran
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "misbehaving.py").write_text(PLUGIN)
    plugins = load_plugins([tmp_path / "plugins"])
    before = (outcome.folder / "effauto.json").read_bytes()
    crashing = replace(plan, recipe=Recipe.of("crashes"), versions={"crashes": "1"})
    with pytest.raises(Crashed, match="died of SIGSEGV"):
        run_plan(crashing, outcome.folder, plugins, store=str(tmp_path / "results.db"))
    assert (outcome.folder / "effauto.json").read_bytes() == before
    assert [p.name for p in outcome.folder.parent.iterdir() if p.is_dir()] == ["model"]
    store = open_store(tmp_path / "results.db")
    assert [record.state for record in trials(store)] == ["failed"]
    store.close()


PLACES = {
    "file": "is a file; name a folder",
    "full": "holds other files; name a new folder",
    "file/below": "cannot be written",
}


@pytest.mark.parametrize(("place", "message"), PLACES.items())
def test_a_place_that_cannot_take_the_model_is_known_beforehand(tmp_path, place, message):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match=message):
        check_output(tmp_path / place)


def test_new_and_empty_folders_and_older_models_can_take_it(ran, tmp_path):
    outcome, _ = ran
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new" / "model", tmp_path / "empty", outcome.folder):
        check_output(folder)
