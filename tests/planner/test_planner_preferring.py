"""Goals in their order: the first decides, each tolerance leaves room for the next."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_planner_results import result

from effauto import api
from effauto.budget import parse_budget
from effauto.errors import EffautoError, InputError
from effauto.planner.answers.plan_file import read_plan
from effauto.planner.candidate import Candidate
from effauto.planner.results import choose
from effauto.preference import Goal, Preference, parse_preference
from effauto.recipe import Recipe


def chosen(results, prefer, *budget):
    best = choose(results, parse_budget(budget), "accuracy", parse_preference(prefer))
    return best and best.candidate.recipe.steps[0].method


RIVALS = [
    result("best", 0.900, latency=0.020, size=9e6),
    result("fast", 0.893, latency=0.004, size=8e6),
    result("small", 0.891, latency=0.0041, size=1e6),
    result("poor", 0.600, latency=0.001, size=1e5),
]


@pytest.mark.parametrize(("prefer", "wanted"), [
    ("quality:0%", "best"),
    ("quality:1%,inference.latency", "fast"),
    ("quality.accuracy:1%,inference.latency:5%,model.size", "small"),
    ("quality:0.8%,model.size", "fast"),
    ("quality:1%,model.size", "small"),
    ("quality:50%,inference.latency", "poor"),
    ("model.size", "poor"),
    ("inference.latency:99%", "poor"),
])  # fmt: skip
def test_each_goal_chooses_among_what_the_goals_before_it_left(prefer, wanted):
    assert chosen(RIVALS, prefer) == wanted


def test_limits_come_before_goals():
    assert chosen(RIVALS, "inference.latency", "quality.accuracy>=0.88") == "fast"
    assert chosen(RIVALS, "quality:1%,inference.latency", "model.size<=2MB") == "small"


def test_what_lacks_a_figure_is_not_preferred_for_it():
    lacking = result("lacking", 0.899, latency=0.001)
    del lacking.measured["inference.latency"]
    assert chosen([*RIVALS, lacking], "quality:1%,inference.latency") == "fast"
    assert chosen([lacking], "quality:1%,inference.latency") == "lacking"


def test_without_a_tolerance_noise_decides_what_is_as_good():
    close = [result("a", 0.895, latency=0.001, spread=0.02), result("b", 0.9, spread=0.02)]
    assert chosen(close, "quality,inference.latency") == "a"
    sure = [result("a", 0.895, latency=0.001, spread=0.001), result("b", 0.9, spread=0.001)]
    assert chosen(sure, "quality,inference.latency") == "b"


FIGURES = st.lists(
    st.tuples(st.floats(0.1, 1), st.floats(1e-4, 1), st.floats(1, 1e9)), min_size=1, max_size=8
)


@given(FIGURES, st.integers(0, 30), st.integers(0, 50))
def test_no_plan_within_the_tolerance_is_better_in_the_next_goal(figures, points, percent):
    results = [result(f"r{n}", q, latency=lat, size=size, spread=0)
               for n, (q, lat, size) in enumerate(figures)]  # fmt: skip
    prefer = parse_preference(f"quality:{points}%,inference.latency:{percent}%,model.size")
    best = choose(results, parse_budget([]), "accuracy", prefer)
    top = max(q for q, _, _ in figures)
    good = [(lat, size) for q, lat, size in figures if q >= top - points / 100 - 1e-12]
    fastest = min(lat for lat, _ in good)
    fast = [size for lat, size in good if lat <= fastest * (1 + percent / 100) * (1 - 1e-12)]
    measured = {name: figure.value for name, figure in best.measured.items()}
    assert measured["quality.accuracy"] >= top - points / 100 - 1e-8
    assert measured["inference.latency"] <= fastest * (1 + percent / 100) * (1 + 1e-8)
    assert not fast or measured["model.size"] <= min(fast) * (1 + 1e-8)


@given(FIGURES, st.randoms())
def test_the_order_of_the_trials_does_not_matter(figures, random):
    results = [result(f"r{n}", q, latency=lat, size=size)
               for n, (q, lat, size) in enumerate(figures)]  # fmt: skip
    prefer = parse_preference("quality:1%,inference.latency")
    best = choose(results, parse_budget([]), "accuracy", prefer)
    random.shuffle(results)
    again = choose(results, parse_budget([]), "accuracy", prefer)
    assert again.measured["inference.latency"] == best.measured["inference.latency"]


@given(st.text() | st.from_regex(r"(quality|model\.size|train\.time|[a-z.]{3,9})(:[0-9.]{0,4}%?)?"))
def test_any_text_is_a_preference_or_a_sentence(text):
    try:
        found = parse_preference(text)
    except EffautoError:
        return
    again = parse_preference(str(found))
    assert [goal.resource for goal in again.goals] == [goal.resource for goal in found.goals]
    tolerances = [[goal.tolerance or 0.0 for goal in p.goals] for p in (again, found)]
    assert tolerances[0] == pytest.approx(tolerances[1], abs=1e-6)


BAD = {
    "": "is no preference; write NAME or NAME:TOLERANCE%",
    "quality:1": "is no preference",
    "quality:-1%": "is no preference",
    "quality:500%": "is no preference",
    "speed": "'speed' is no resource",
    "search.time": "the same for every plan",
    "quality,model.size,quality": "quality can be preferred only once",
}


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_what_is_no_preference_is_told(text, message):
    with pytest.raises(EffautoError, match=message):
        parse_preference(text)


def test_a_preference_reads_as_it_was_written():
    text = "quality:1%,inference.latency:5%,model.size"
    assert str(parse_preference(text)) == text
    assert parse_preference("model.size").complete == (Goal("model.size"), Goal("quality"))
    assert Preference().complete == (Goal("quality"),)


def test_an_instant_plan_prefers_by_what_is_foretold(task_folder, cli, tmp_path):
    pytest.importorskip("effauto.bundled.random_subset", reason="fewer labels must be possible")
    path = tmp_path / "plan.json"
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "0",
               "--prefer", "train.labels,quality", "--output", path)  # fmt: skip
    assert told.exit_code == 0
    assert "Preferred: train.labels, then quality." in told.stdout
    plan = read_plan(path)
    assert plan.prefer == parse_preference("train.labels,quality")
    labels = [other.figures["train.labels"].value for other in plan.alternatives]
    assert plan.estimate["train.labels"].value <= min(labels)
    assert plan.estimate["train.labels"].value < 240
    assert json.loads(path.read_text())["prefer"] == "train.labels,quality"


def test_a_search_says_what_a_preference_gives_up(task_folder):
    plan = api.plan(task_folder, model="bag-of-words", prefer="train.labels,quality",
                    search_time=60, max_trials=3)  # fmt: skip
    labels = [other.figures["train.labels"].value for other in plan.alternatives]
    assert plan.measurement["train.labels"].value <= min(labels)


def test_a_search_says_what_was_better_within_the_noise(situation):
    from effauto.planner.answers.chosen import chosen as plan_of

    known = situation(search_time=60.0)
    cheap = replace(result("x", 0.9), candidate=Candidate("bag-of-words"))
    dear = replace(
        result("x", 0.905, seconds=20.0),
        candidate=Candidate("bag-of-words", Recipe.of("near-dedup")),
    )
    spent = {"trials": 2, "failed": 0, "seconds": 1.0, "energy": 0.0}
    plan = plan_of(known, [cheap, dear], [cheap.candidate], spent, interrupted=False)
    assert plan.recipe == Recipe()
    (note,) = (note for note in plan.notes if "noise" in note)
    assert "near-dedup had accuracy 0.905 against 0.900" in note
    assert "--prefer 'quality:0%'" in note
    known.request = replace(known.request, prefer=parse_preference("quality:0%"))
    plan = plan_of(known, [cheap, dear], [cheap.candidate], spent, interrupted=False)
    assert plan.recipe.settings.keys() == {"near-dedup"}
    assert not any("noise" in note for note in plan.notes)


def test_another_metric_than_the_tasks_cannot_be_preferred(task_folder):
    with pytest.raises(InputError, match="the metric here is accuracy"):
        api.plan(task_folder, model="bag-of-words", prefer="quality.macro_f1")
