"""What each method bought: measured by leaving it out, else foretold, and said to be so."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from test_planner_strategy import measured

from effauto import api
from effauto.errors import PlanError
from effauto.planner.answers.bought import bought, unmeasured
from effauto.planner.answers.plan_file import read_plan, write_plan
from effauto.planner.candidate import Candidate
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.report.bought import print_bought
from effauto.store import open_store
from effauto.store.query import trials

BOTH = Candidate("bag-of-words", Recipe.of("near-dedup", "random-subset"))


class _Of:
    def __init__(self, situation):
        self.situation = situation


def tried(situation, candidate, quality, fidelity=1.0):
    return measured(_Of(situation), candidate, fidelity, quality)


def test_what_is_measured_with_and_without_is_told_as_measured(situation):
    known = situation()
    rest = Candidate("bag-of-words", Recipe.of("random-subset"))
    results = [tried(known, BOTH, 0.8), tried(known, rest, 0.75)]
    one, other = bought(known, BOTH, results)
    assert (one.method, one.fidelity) == ("near-dedup", 1.0)
    pair = one.figures["quality.accuracy"]
    assert pair.measured
    assert (pair.with_it.value, pair.without.value) == (0.8, 0.75)
    assert (other.method, other.fidelity) == ("random-subset", 0.0)
    assert not any(pair.measured for pair in other.figures.values())
    labels = {name for name in one.figures if name.startswith("model.")}
    assert labels == {"model.size"}


def test_only_trials_on_the_same_data_are_compared(situation):
    known = situation()
    rest = Candidate("bag-of-words", Recipe.of("random-subset"))
    apart = [tried(known, BOTH, 0.8), tried(known, rest, 0.7, fidelity=0.5)]
    assert bought(known, BOTH, apart)[0].fidelity == 0.0
    half = [*apart, tried(known, BOTH, 0.75, fidelity=0.5)]
    assert bought(known, BOTH, half)[0].fidelity == 0.5
    assert list(unmeasured(known, BOTH, half, 0.5)) == [
        Candidate("bag-of-words", Recipe.of("near-dedup"))
    ]


def test_a_setting_that_is_spelt_out_is_the_same_recipe(situation):
    known = situation()
    full = Candidate("bag-of-words", Recipe.of(random_subset={"share": 0.5}))
    plain = Candidate("bag-of-words", Recipe.of("random-subset"))
    results = [tried(known, plain, 0.8), tried(known, Candidate("bag-of-words"), 0.9)]
    assert bought(known, full, results)[0].fidelity == 1.0


def test_a_method_that_another_needs_cannot_be_left_out(load, situation):
    known = situation()
    plugins = load(pair='''
class Maker(Method):
    name, version, summary, stage = "maker", "1", "makes", "data"
    provides = frozenset({"made"})
    def cost(self, work, setting): return work

class User(Method):
    name, version, summary, stage = "user", "1", "uses", "data"
    requires, after = frozenset({"made"}), ("maker",)
    def cost(self, work, setting): return work

@hookimpl
def register_methods():
    return [Maker(), User()]
''')  # fmt: skip
    known.oracle.methods = plugins.methods()
    pair = Candidate("bag-of-words", Recipe.of("maker", "user"))
    if not known.oracle.composition(pair).legal:
        pytest.fail(str(known.oracle.composition(pair).refusals))
    one, other = bought(known, pair)
    assert one.method == "maker"
    assert one.reason.startswith("it cannot be left out: ")
    assert not one.figures
    assert other.figures


def printed(found):
    paper = io.StringIO()
    print_bought(found, Console(file=paper, width=80))
    return paper.getvalue()


def test_foretold_and_measured_figures_look_different(situation):
    known = situation()
    rest = Candidate("bag-of-words", Recipe.of("random-subset"))
    text = printed(bought(known, BOTH, [tried(known, BOTH, 0.8), tried(known, rest, 0.75)]))
    assert "+5.0 ±" in text
    assert "~×" in text
    assert "Measured with and without the method on 100% of the data; ~ is foretold" in text
    assert "All of this is foretold" in printed(bought(known, BOTH))


@pytest.fixture(scope="module")
def planned(task_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bought")
    plan = api.plan(task_folder, model="bag-of-words", recipe="near-dedup + random-subset")
    write_plan(plan, folder / "plan.json")
    return plan, folder


def test_a_plan_tells_at_once_what_is_foretold(planned, cli):
    plan, folder = planned
    assert [one.method for one in plan.bought] == ["near-dedup", "random-subset"]
    assert plan.bought[1].figures["train.time"].without.tier != "measured"
    assert read_plan(folder / "plan.json") == plan
    assert "All of this is foretold" in cli("explain", folder / "plan.json").stdout


def test_explaining_may_measure_and_stores_its_trials(planned, cli, tmp_path):
    _, folder = planned
    path = tmp_path / "explained.json"
    told = cli("explain", folder / "plan.json", "--measure", "60s", "--output", path)
    assert told.exit_code == 0, told.stderr
    assert "Measured with and without the method on 100% of the data" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    explained = read_plan(path)
    for one in explained.bought:
        assert one.fidelity == 1.0
        assert one.figures["quality.accuracy"].measured
        assert one.figures["model.size"].measured
    store = open_store(tmp_path / "results.db")
    assert sorted(str(record.recipe) for record in trials(store)) == [
        "near-dedup", "near-dedup + random-subset", "random-subset",
    ]  # fmt: skip
    store.close()


def test_data_that_changed_cannot_be_measured(planned, tmp_path):
    from effauto.planner.answers.explaining import measure_bought

    plan, _ = planned
    changed = replace(plan, fingerprint="another")
    with pytest.raises(PlanError, match="have changed since the plan was made"):
        measure_bought(changed, load_plugins(), 5.0, str(tmp_path / "x.db"))


@pytest.mark.slow
def test_a_search_measures_in_its_last_part_what_its_methods_bought(task_folder, tmp_path):
    plan = api.plan(task_folder, model="bag-of-words", search_time=40, prefer="train.labels",
                    store=str(tmp_path / "own.db"))  # fmt: skip
    assert plan.bought
    assert all(one.fidelity or one.reason for one in plan.bought)
    assert json.dumps(plan.to_json()["bought"])
