"""The best results are repeated with other seeds until they can be told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result, latest, pooled
from effauto.planner.trials.finalists import SEEDS, to_repeat
from effauto.recipe import Recipe
from effauto.resources import Figure

ACCURACY = "quality.accuracy"
ONE, OTHER, POOR = (Candidate("minilm", Recipe.of(name)) for name in ("one", "other", "poor"))


def run(candidate, quality, seed=0, *, fidelity=1.0, gradients=True):
    figures = {
        ACCURACY: Figure(quality, "1", quality - 0.02, quality + 0.02, "measured"),
        "model.size": Figure(100.0, "byte", 100.0, 100.0, "measured"),
    }
    return Result(candidate, fidelity, seed, figures, {}, {}, gradients=gradients)


def decide(results):
    """Repeat, each time with the quality that it has already, until nothing is asked for."""
    results = list(results)
    for _ in range(50):
        best = max(latest(results), key=lambda r: r.quality("accuracy"))
        found = to_repeat(results, best, "accuracy")
        if found is None:
            return results
        candidate, seed = found
        first = next(r for r in results if r.candidate == candidate)
        results.append(run(candidate, first.quality("accuracy"), seed))
    raise AssertionError("it never ends")


def test_two_that_are_close_are_repeated_in_turn():
    first, second = run(ONE, 0.900), run(OTHER, 0.899)
    assert to_repeat([first, second], first, "accuracy") == (ONE, 1)
    again = run(ONE, 0.895, 1)
    assert to_repeat([first, second, again], second, "accuracy") == (OTHER, 1)


def test_who_is_far_behind_is_not_repeated():
    results = decide([run(ONE, 0.9), run(OTHER, 0.9), run(POOR, 0.7)])
    assert sum(r.candidate == POOR for r in results) == 1


def test_what_differs_by_more_than_seeds_do_is_told_apart():
    results = [run(ONE, 0.910), run(OTHER, 0.900), run(ONE, 0.911, 1), run(OTHER, 0.901, 1)]
    assert to_repeat(results, results[0], "accuracy") is None


def test_a_lone_best_and_what_no_seed_changes_need_no_repeat():
    lone, frozen = run(ONE, 0.9), run(OTHER, 0.9, gradients=False)
    assert to_repeat([lone], lone, "accuracy") is None
    assert to_repeat([lone, frozen], lone, "accuracy") == (ONE, 1)
    assert to_repeat([lone, frozen], lone, "accuracy", {ONE.key}) is None


def test_results_on_less_data_are_no_finalists():
    best, small = run(ONE, 0.9), run(OTHER, 0.9, fidelity=0.5)
    assert to_repeat([best, small], best, "accuracy") is None


@given(st.lists(st.sampled_from([ONE, OTHER, POOR]), min_size=1, max_size=3, unique=True))
def test_it_ends_with_a_bounded_number_of_seeds(candidates):
    results = decide([run(candidate, 0.9) for candidate in candidates])
    assert all(sum(r.candidate == c for r in results) <= SEEDS for c in candidates)


def test_repeats_are_averaged_and_say_so():
    runs = [run(ONE, 0.90), run(ONE, 0.94, 1), run(ONE, 0.5, fidelity=0.25)]
    mean = next(iter(latest(runs)))
    assert mean.measured[ACCURACY].value == pytest.approx(0.92)
    assert mean.measured[ACCURACY].note.endswith("mean of 2 seeds")
    assert pooled(runs[:1]) is runs[0]
    same_seed = [run(ONE, 0.90), replace(run(ONE, 0.94), trial=2)]
    assert pooled(same_seed).quality("accuracy") == 0.94
