"""Plans as files: what was written is read, and anything else is a sentence."""

from __future__ import annotations

import json
import resource
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from effauto.errors import OutputError, PlanError
from effauto.planner.answers.instant import instant
from effauto.planner.answers.plan import Alternative
from effauto.planner.answers.plan_file import check_writable, plan_from_json, read_plan, write_plan
from effauto.planner.candidates.pool import few
from effauto.recipe import Recipe
from effauto.report.plan import print_explanation, print_plan

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@pytest.fixture
def plan(situation):
    known = situation("model.size<=1MiB", "train.cost<=9EUR", prices=_prices())
    found = instant(known, few(known.oracle, known.usable))
    others = (Alternative(found.model, found.recipe, found.estimate, 0.5),)
    return replace(found, alternatives=others, measurement=found.estimate, fidelity=0.5)


def _prices():
    from effauto.cost import parse_prices

    return parse_prices(["1EUR/hour"])


def test_a_plan_is_read_as_it_was_written(plan, tmp_path):
    write_plan(plan, tmp_path / "plan.json")
    again = read_plan(tmp_path / "plan.json")
    assert again == plan
    assert again.to_json() == plan.to_json()


def test_what_is_advised_is_no_alternative_to_itself(plan, capsys):
    print_plan(plan)
    assert "Instead" not in capsys.readouterr().out
    another = Alternative(plan.model, Recipe.of("another"), plan.estimate, 0.5)
    print_plan(replace(plan, alternatives=(*plan.alternatives, another)))
    assert "another" in capsys.readouterr().out.partition("Instead")[2]


def test_the_json_has_what_others_script_against(plan):
    data = json.loads(json.dumps(plan.to_json(), allow_nan=False))
    assert data["effauto_plan"] == 1
    assert data["status"] == "feasible"
    assert {"kind", "metric", "fingerprint", "examples", "classes"} <= set(data["task"])
    assert data["task"]["classes"] == 3
    assert {"model", "hardware", "order", "ruled_out", "recipe"} <= set(data)
    assert all(set(limit) == {"resource", "limit", "unit"} for limit in data["budget"])
    for figures in (data["estimate"], data["measurement"], data["alternatives"][0]["figures"]):
        assert "quality.accuracy" in figures
        assert all({"value", "unit", "low", "high"} <= set(f) for f in figures.values())
    assert {"trials", "failed", "seconds", "seed", "energy"} <= set(data["search"])
    units = {figure["unit"] for figure in data["estimate"].values()}
    assert units <= {"s", "byte", "joule", "gram", "1", "1/s", "EUR"}


def test_a_full_disk_leaves_the_old_plan_as_it_was(plan, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("the old one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"plan\.json: File too large"):
            write_plan(plan, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "the old one"
    assert [found.name for found in tmp_path.glob("*plan*")] == ["plan.json"]


@pytest.mark.parametrize("place", ["file/plan.json", "."])
def test_a_place_that_cannot_be_written_is_known_beforehand(plan, tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="the plan cannot be written to"):
        check_writable(tmp_path / place)
    with pytest.raises(OutputError, match="the plan cannot be written to"):
        write_plan(plan, tmp_path / place)


def test_the_folder_of_a_plan_is_made(plan, tmp_path):
    check_writable(tmp_path / "new" / "folder" / "plan.json")
    write_plan(plan, tmp_path / "new" / "folder" / "plan.json")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["plan.json"]


CORRUPT = {
    "empty": (b"", "it is not JSON"),
    "cut": (b'{"effauto_plan": 1, "sta', "it is not JSON"),
    "binary": (b"\x80\x81", "it is not JSON"),
    "deep": (b"[" * 100_000, "it is not JSON"),
    "list": (b"[]", "it has no 'effauto_plan' entry"),
    "object": (b"{}", "it has no 'effauto_plan' entry"),
    "newer": (b'{"effauto_plan": 2}', "has plan schema 2 and this effauto reads 1"),
    "bare": (b'{"effauto_plan": 1}', "is no whole plan: 'task' is missing"),
}


@pytest.mark.parametrize(("content", "message"), CORRUPT.values(), ids=CORRUPT)
def test_a_corrupt_plan_is_refused(tmp_path, content, message):
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(PlanError, match=message):
        read_plan(tmp_path / "plan.json")


@given(JSON | st.dictionaries(st.just("effauto_plan"), JSON))
def test_any_json_is_a_plan_error(data):
    with pytest.raises(PlanError):
        plan_from_json(data)


def places(data, path=()):
    """The path of every entry of some JSON."""
    yield path
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield from places(data[key], (*path, key))


def changed(data, path, value):
    """A copy in which the entry at ``path`` is ``value``, or is gone if that is Ellipsis."""
    if not path:
        return value
    copy = data.copy()
    if value is ... and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


@given(st.data())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_plan_is_read_whole_or_is_a_plan_error(plan, data):
    whole = json.loads(json.dumps(plan.to_json()))
    path = data.draw(st.sampled_from(list(places(whole))[1:]))
    other = changed(whole, path, data.draw(JSON | st.just(...)))
    try:
        read = plan_from_json(json.loads(json.dumps(other)))
    except PlanError:
        return
    print_explanation(read, _paper())
    json.dumps(read.to_json()).encode()


def _paper():
    import io

    from rich.console import Console

    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), width=80)
