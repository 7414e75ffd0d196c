"""Who rises to more data: the better half of each rung, front by front, within the limits."""

from __future__ import annotations

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.planner.trials.promotion import in_fronts, promotable
from effauto.recipe import Recipe
from effauto.resources import Figure


def result(name, error, cost=1.0, fidelity=0.25):
    figures = {
        "quality.accuracy": Figure(1 - error, "1", 1 - error, 1 - error, "measured"),
        "model.size": Figure(cost, "byte", cost, cost, "measured"),
    }
    return Result(Candidate("network", Recipe.of(name)), fidelity, 0, figures, {}, {})


def points(found):
    return 1 - found.measured["quality.accuracy"].value, found.measured["model.size"].value


def names(found):
    return [one.candidate.recipe.steps[0].method for one in found]


def allowed(found):
    return found.measured["model.size"].value <= 10


def test_fronts_come_in_order():
    one, two, beaten = result("a", 0.1, 5), result("b", 0.3, 1), result("c", 0.4, 6)
    assert names(in_fronts([beaten, two, one], points)) == ["a", "b", "c"]


def test_the_better_half_of_a_rung_rises():
    tried = [
        result(name, error) for name, error in zip("abcde", (0.5, 0.4, 0.3, 0.2, 0.1), strict=True)
    ]
    assert names(promotable(tried, allowed, points)) == ["e", "d", "c"]
    assert names(promotable(tried[:1], allowed, points)) == ["a"]


def test_what_rose_already_counts_for_its_half_and_does_not_rise_again():
    tried = [result(name, error) for name, error in zip("abcd", (0.4, 0.3, 0.2, 0.1), strict=True)]
    tried.append(result("d", 0.05, fidelity=0.5))
    assert names(promotable(tried, allowed, points)) == ["d", "c"]  # d from its new rung
    tried.append(result("d", 0.05, fidelity=1.0))
    assert names(promotable(tried, allowed, points)) == ["c"]


def test_what_breaks_a_limit_does_not_rise():
    tried = [result("a", 0.1, cost=99), result("b", 0.5), result("c", 0.6)]
    assert names(promotable(tried, allowed, points)) == ["b"]
