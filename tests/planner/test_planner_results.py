"""What is chosen of what was measured: never a missing figure, never a failure, ties go cheap."""

from __future__ import annotations

from dataclasses import replace

from effauto.budget import parse_budget
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result, choose, front, keeps, latest
from effauto.planner.trials.curves import Curves
from effauto.recipe import Recipe
from effauto.resources import Figure, exactly

UNITS = {"train.time": "s", "inference.latency": "s", "model.size": "byte"}


def result(name, quality, *, seconds=10.0, latency=0.01, size=1e6, spread=0.02, fidelity=1.0):
    measured = {
        "quality.accuracy": Figure(quality, "1", quality - spread, quality + spread, "measured"),
        "train.time": exactly(seconds, "s"),
        "inference.latency": exactly(latency, "s"),
        "model.size": exactly(size, "byte"),
    }
    foretold = {name: exactly(1.0, unit) for name, unit in UNITS.items()}
    full = foretold | {"train.time": exactly(1 / fidelity, "s")}
    return Result(Candidate("m", Recipe.of(name)), fidelity, 0, measured, foretold, full)


def chosen(results, *budget):
    best = choose(results, parse_budget(budget), "accuracy")
    return best and best.candidate.recipe.steps[0].method


def test_the_best_is_chosen():
    assert chosen([result("a", 0.8), result("b", 0.9)]) == "b"


def test_of_two_within_noise_the_cheaper_is_chosen():
    assert chosen([result("a", 0.895, seconds=5), result("b", 0.9)]) == "a"
    assert chosen([result("a", 0.88, seconds=5), result("b", 0.9)]) == "b"
    assert chosen([result("a", 0.895, seconds=20), result("b", 0.9)]) == "b"


def test_what_breaks_a_limit_is_never_chosen():
    results = [result("a", 0.8, size=1e5), result("b", 0.9)]
    assert chosen(results, "model.size<=0.5MB") == "a"
    assert chosen(results, "model.size<=0.05MB") is None


def test_a_missing_figure_meets_no_limit():
    lacking = result("a", 0.99)
    del lacking.measured["model.size"]
    assert chosen([lacking, result("b", 0.5)], "model.size<=2MB") == "b"
    assert chosen([lacking], "model.size<=2MB") is None
    assert chosen([lacking], "train.carbon<=5g") is None


def test_what_was_not_judged_is_never_chosen():
    lacking = result("a", 0.99)
    del lacking.measured["quality.accuracy"]
    assert chosen([lacking, result("b", 0.5)]) == "b"
    assert chosen([lacking]) is None
    assert chosen([]) is None


def test_room_is_left_for_the_noise_of_time_where_there_is_a_choice():
    close, clear = result("close", 0.9, latency=0.0098), result("clear", 0.8, latency=0.005)
    assert chosen([close, clear], "inference.latency<=10ms") == "clear"
    assert chosen([close], "inference.latency<=10ms") == "close"


def test_costs_are_brought_to_full_scale():
    half = result("a", 0.8, seconds=10, fidelity=0.5)
    assert half.projected()["train.time"].value == 20
    assert half.projected()["model.size"].value == 1e6
    assert keeps(half, parse_budget(["train.time<=15s"]), reserve=False)
    assert not keeps(half, parse_budget(["train.time<=25s"]), reserve=True)


def test_the_largest_scale_counts():
    results = [result("a", 0.9, fidelity=0.25), result("a", 0.7), result("b", 0.8)]
    assert [r.fidelity for r in latest(results)] == [1.0, 1.0]
    assert chosen(results) == "b"


def test_more_data_is_expected_to_help_about_as_much_as_it_was_seen_to():
    few = [result("a", 0.6, fidelity=0.25), result("b", 0.6, fidelity=0.25)]
    Curves("accuracy").learn(few)
    assert [r.gain for r in few] == [0, 0]
    seen = [*few, result("a", 0.8)]
    Curves("accuracy").learn(seen)
    assert 0 < seen[1].gain < 0.2
    assert seen[2].gain == 0
    worse = [result("a", 0.8, fidelity=0.25), result("a", 0.7)]
    Curves("accuracy").learn(worse)
    assert worse[0].gain == 0


def test_gains_never_promise_more_than_is_possible():
    results = [result("a", 0.1, fidelity=0.5), result("a", 0.9), result("b", 0.99, fidelity=0.06)]
    curves = Curves("accuracy")
    curves.learn(results)
    assert results[2].quality("accuracy") < 1
    assert results[2].quality("accuracy") <= curves.potential(results[2]) <= 1


def test_what_trains_alike_shares_a_curve():
    pair = [result("a", 0.6, fidelity=0.25), result("a", 0.8)]
    frozen = replace(result("b", 0.6, fidelity=0.25), gradients=False)
    Curves("accuracy").learn([*pair, frozen])
    assert frozen.gain == 0


def test_the_front_holds_what_nothing_beats():
    results = [
        result("best", 0.9, seconds=20),
        result("fast", 0.8, seconds=5),
        result("beaten", 0.79, seconds=6),
        result("small", 0.5, size=10, seconds=30),
    ]
    found = front(results, "accuracy", ("train.time", "model.size"))
    assert {r.candidate.recipe.steps[0].method for r in found} == {"best", "fast", "small"}
