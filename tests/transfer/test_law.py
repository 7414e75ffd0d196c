"""The scaling law against figures of its papers, and its optimum against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effauto.transfer.law import CHINCHILLA, ScalingLaw, fitted, read_anew


def test_chinchilla_itself() -> None:
    """70 billion parameters and 1.4 trillion tokens are near the optimum of its operations."""
    parameters, tokens = CHINCHILLA.optimum(5.76e23)
    assert parameters == pytest.approx(70e9, rel=0.3)
    assert tokens / parameters == pytest.approx(20, rel=0.5)


@given(st.floats(1e15, 1e26), st.floats(0.2, 5.0))
def test_no_other_spread_of_the_same_operations_is_better(operations: float, by: float) -> None:
    parameters, tokens = CHINCHILLA.optimum(operations)
    assert 6 * parameters * tokens == pytest.approx(operations)
    best = CHINCHILLA.loss(parameters, tokens)
    assert best <= CHINCHILLA.loss(parameters * by, tokens / by) + 1e-9


def test_reading_again_is_worth_less_and_less() -> None:
    assert read_anew(100.0, 1) == 100.0
    assert read_anew(100.0, 0.5) == 50.0
    assert read_anew(100.0, 4) == pytest.approx(373, rel=0.01)
    assert read_anew(100.0, 1e6) == pytest.approx(100 * 16.39)


def test_constants_are_found_anew() -> None:
    """Of trainings that follow a law with the same exponents."""
    true = ScalingLaw(0.15, 3.0, 20.0, CHINCHILLA.alpha, CHINCHILLA.beta)
    sizes, lengths = (1e5, 3e5, 1e6), (1e5, 1e6, 1e7)
    trained = [(n, d, true.loss(n, d)) for n in sizes for d in lengths]
    found = fitted(trained)
    assert found is not None
    assert (found.floor, found.a, found.b) == pytest.approx((0.15, 3.0, 20.0), rel=1e-4)


def test_one_length_tells_no_law() -> None:
    assert fitted([(1e5, 1e6, 0.3), (1e5, 1e6, 0.2)]) is None
    assert fitted([]) is None


def test_few_trainings_tell_only_the_scale() -> None:
    """What size does, beside reading, is then as it was published."""
    true = ScalingLaw(0.15, 0.05 * CHINCHILLA.a, 0.05 * CHINCHILLA.b, 0.3478, 0.3658)
    found = fitted([(1e5, d, true.loss(1e5, d)) for d in (2e5, 1e6)])
    assert found is not None
    assert found.loss(1e6, 5e6) == pytest.approx(true.loss(1e6, 5e6))


def test_trainings_that_hardly_began_do_not_count() -> None:
    true = ScalingLaw(0.15, 3.0, 20.0, CHINCHILLA.alpha, CHINCHILLA.beta)
    long = [(n, d, true.loss(n, d)) for n in (1e5, 3e5) for d in (1e6, 4e6)]
    assert fitted([*long, (1e7, 1e5, 0.9), (3e7, 1e5, 0.9)]) == fitted(long)
