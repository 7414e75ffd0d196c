"""Knobs take what lies in their range, and say what they take otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effauto.errors import DeclarationError, SettingError
from effauto.knobs import Choice, Float, Int, complete

KNOBS = {
    "rate": Float(1e-6, 1.0, default=1e-3, log=True),
    "layers": Int(1, 12, default=6),
    "solver": Choice(("ridge", "logistic", 8, True), default="ridge"),
}


@given(st.floats(1e-6, 1.0), st.integers(1, 12), st.sampled_from(KNOBS["solver"].options))
def test_what_lies_in_the_range_is_kept(rate, layers, solver):
    given = {"solver": solver, "rate": rate, "layers": layers}
    completed = complete(KNOBS, given)
    assert completed == given
    assert list(completed) == list(KNOBS)
    assert complete(KNOBS, completed) == completed


def test_what_is_not_given_has_its_default():
    assert complete(KNOBS, {}) == {"rate": 1e-3, "layers": 6, "solver": "ridge"}


def test_a_whole_number_may_stand_for_a_real_one():
    assert isinstance(complete(KNOBS, {"rate": 1})["rate"], float)


WRONG = {
    "unknown": ({"depth": 2}, r"there is no knob 'depth' \(knobs: rate, layers, solver\)"),
    "too_much": ({"rate": 2}, "rate must lie between 1e-06 and 1, not 2"),
    "too_little": ({"layers": 0}, "layers must lie between 1 and 12, not 0"),
    "nan": ({"rate": float("nan")}, "rate must lie between"),
    "text": ({"rate": "fast"}, "rate must be a number, not 'fast'"),
    "truth": ({"layers": True}, "layers must be a whole number, not True"),
    "fraction": ({"layers": 2.0}, "layers must be a whole number, not 2.0"),
    "none": ({"layers": None}, "layers must be a whole number, not None"),
    "option": ({"solver": "magic"}, "solver must be one of ridge, logistic, 8, True, not 'magic'"),
    "one_for_true": ({"solver": 1}, "solver must be one of"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_names_the_knob_and_its_range(given, message):
    with pytest.raises(SettingError, match=message):
        complete(KNOBS, given)


@given(st.floats(), st.floats(), st.floats())
def test_a_declared_default_lies_in_the_range(low, high, default):
    try:
        knob = Float(low, high, default)
    except DeclarationError:
        assert not low <= default <= high
    else:
        assert knob.check(default) == default


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Float(0.0, 1.0, default=0.5, log=True),
        lambda: Int(5, 1, default=3),
        lambda: Choice(("a", "b"), default="c"),
        lambda: Choice(("a", "a"), default="a"),
    ],
)
def test_a_knob_that_contradicts_itself_is_refused(declare):
    with pytest.raises(DeclarationError):
        declare()
