"""Bundles: what is exported comes back the same, once, and only if it is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import ARTEFACT, FORETOLD, METHODS, RECIPE, SITUATION, finished, measured

from effauto.errors import InputError, StoreError
from effauto.recipe import Recipe
from effauto.store import Store, TrialRecord, open_store
from effauto.store.bundle import export_results, import_results
from effauto.store.bundle.importing import add_lines
from effauto.store.bundle.lines import from_line
from effauto.store.bundle.outgoing import to_line
from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.traits import ModelTraits

EVERYTHING = Filter()
CHANGES = ("id", "study", "artefacts", "origin", "source")


@pytest.fixture
def filled(store: Store) -> Store:
    number = store.begin_trial(
        RECIPE, SITUATION, purpose="run", seed=4, foretold=FORETOLD, methods=METHODS
    )
    store.finish_trial(number, measured(), [ARTEFACT])
    finished(store, Recipe(), task="mail")
    failed = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=5, fidelity=0.25)
    store.fail_trial(failed, "/home/somebody/mail.csv could not be read")
    store.begin_trial(RECIPE, SITUATION, purpose="search", seed=6)
    return store


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "elsewhere.db")
    yield opened
    opened.close()


def content(store: Store) -> list[dict[str, object]]:
    lines = [record.to_json() for record in trials(store) if record.state != "running"]
    return [{n: value for n, value in line.items() if n not in CHANGES} for line in lines]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_is_exported_comes_back_the_same_and_once(filled, elsewhere, tmp_path, suffix):
    bundle = tmp_path / f"results{suffix}"
    assert export_results(filled, bundle, EVERYTHING) == 3
    found = import_results(elsewhere, bundle, source="a colleague")
    assert (found.added, found.known) == (3, 0)
    assert content(elsewhere) == content(filled)
    assert {record.source for record in trials(elsewhere)} == {"a colleague"}
    again = import_results(elsewhere, bundle)
    assert (again.added, again.known) == (0, 3)
    assert import_results(filled, bundle).added == 0


def test_the_same_trial_under_another_name_is_known(filled, elsewhere, tmp_path):
    plain, anonymous = tmp_path / "plain.jsonl", tmp_path / "anonymous.jsonl"
    export_results(filled, plain, EVERYTHING)
    export_results(filled, anonymous, EVERYTHING, anonymous=True)
    lines = [json.loads(line) for line in anonymous.read_text().splitlines()]
    for number, line in enumerate(lines[1:]):  # as another program might have numbered them
        line["uuid"] = f"00000000-0000-4000-8000-{number:012}"
    anonymous.write_text("\n".join(map(json.dumps, lines)))
    assert import_results(elsewhere, plain).added == 3
    assert import_results(elsewhere, anonymous).added == 0


def test_an_origin_that_is_known_is_kept_when_it_is_passed_on(filled, elsewhere, tmp_path):
    export_results(filled, tmp_path / "one.jsonl", EVERYTHING)
    import_results(elsewhere, tmp_path / "one.jsonl", source="the first")
    export_results(elsewhere, tmp_path / "two.jsonl", EVERYTHING)
    third = open_store(tmp_path / "third.db")
    import_results(third, tmp_path / "two.jsonl", source="the second")
    assert {record.source for record in trials(third)} == {"the first"}
    third.close()


def test_an_anonymous_bundle_names_no_task_folder_or_message(filled, tmp_path):
    bundle = tmp_path / "anonymous.jsonl"
    export_results(filled, bundle, EVERYTHING, anonymous=True)
    text = re.sub(r"fingerprint of \w+", "", bundle.read_text())  # a hash, outside of tests
    for private in ("mail", "questions", "somebody", "out/model", str(tmp_path)):
        assert private not in text


def test_an_anonymous_bundle_says_what_the_machine_is_not_whose(filled, elsewhere, tmp_path):
    bundle = tmp_path / "anonymous.jsonl"
    export_results(filled, bundle, EVERYTHING)
    import_results(elsewhere, bundle, source="Anna")
    export_results(elsewhere, bundle, EVERYTHING, anonymous=True)
    assert "desk" not in bundle.read_text()
    assert "Anna" not in bundle.read_text()
    lines = [json.loads(line) for line in bundle.read_text().splitlines()]
    assert {line["hardware"] for line in lines[1:]} == {"Some CPU, 2 cores"}


def test_a_model_from_a_folder_here_is_not_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "secret").mkdir(parents=True)
    record = _record(replace(SITUATION.model, name="out/secret"))
    assert to_line(record)["model"] == "out/secret"
    assert to_line(record, anonymous=True)["model"].startswith("model-")
    public = _record(replace(SITUATION.model, name="org/model"))
    assert to_line(public, anonymous=True)["model"] == "org/model"


def test_others_do_not_rename_our_tasks_nor_calibrate_our_machine(filled, tmp_path):
    export_results(filled, tmp_path / "b.jsonl", EVERYTHING, anonymous=True)
    head, *lines = (tmp_path / "b.jsonl").read_text().splitlines()
    theirs = [json.loads(line) for line in lines]
    for number, line in enumerate(theirs):  # other trials of the same tasks
        line |= {"uuid": f"00000000-0000-4000-8000-{number:012}", "seed": 70 + number}
        line["machine"] |= {"name": "desk", "memory_bytes": 1}
    (tmp_path / "b.jsonl").write_text("\n".join([head, *map(json.dumps, theirs)]))
    before = {(r.task, r.hardware, r.machine["memory_bytes"]) for r in trials(filled)}
    assert import_results(filled, tmp_path / "b.jsonl").added == 3
    assert {(r.task, r.hardware, r.machine["memory_bytes"]) for r in trials(filled)} == before


def test_filters_choose_what_is_exported(filled, tmp_path):
    assert export_results(filled, tmp_path / "b.jsonl", Filter(task="mail")) == 1
    assert export_results(filled, tmp_path / "b.jsonl", Filter(state="failed")) == 1
    assert export_results(filled, tmp_path / "b.jsonl", EVERYTHING, limit=2) == 2


BREAKS = {
    "no seed": lambda line: line.pop("seed"),
    "'joules'": lambda line: line["measurement"]["inference.latency"].update(unit="joules"),
    "not a share": lambda line: line.update(fidelity=7.0),
    "'running'": lambda line: line.update(state="running"),
    "no resource": lambda line: line["measurement"].update(beauty=1),
    "outside its range": lambda line: line["measurement"]["inference.latency"].update(value=9.0),
    "names each method once": lambda line: line.update(recipe=[{"method": "a"}, {"method": "a"}]),
    "badly formed": lambda line: line.update(uuid="1"),
    "no time zone": lambda line: line.update(started_at="2026-01-01T00:00:00"),
    "finite": lambda line: line["measurement"]["inference.latency"].update(high=float("inf")),
    "seed is 1000": lambda line: line.update(seed=10**30),
    "threads is 'two'": lambda line: line["machine"].update(threads="two"),
    "layers is 'many'": lambda line: line["model_traits"].update(layers="many"),
    "classes is 3000000000": lambda line: line["task"].update(classes=3 * 10**9),
    "is no method": lambda line: line["recipe"][0].update(method="a\0b"),
    "cannot stand there": lambda line: line["recipe"][0]["setting"].update(share=float("nan")),
    "out of range": lambda line: line.update(started_at="0001-01-01T00:00:00+14:00"),
}


@pytest.mark.parametrize("reason", BREAKS)
def test_a_row_that_is_wrong_is_refused_with_its_reason(filled, elsewhere, tmp_path, reason):
    bundle = tmp_path / "results.jsonl"
    export_results(filled, bundle, EVERYTHING)
    lines = [json.loads(line) for line in bundle.read_text().splitlines()]
    BREAKS[reason](lines[3])
    bundle.write_text("\n".join(map(json.dumps, lines)))
    wanted = "it has no 'seed'" if reason == "no seed" else reason
    with pytest.raises(StoreError, match=rf"row 3: .*{wanted}"):
        import_results(elsewhere, bundle)
    assert trials(elsewhere) == []
    found = import_results(elsewhere, bundle, skip_invalid=True)
    assert (found.added, [row for row, _ in found.refused]) == (2, [3])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no bundle"),
        ("{}", "no bundle"),
        ("[1, 2]", "no bundle"),
        ("\xff", "no bundle"),
        ('{"effauto_results": 99}', "newer effauto"),
    ],
)
def test_what_is_no_bundle_is_refused(elsewhere, tmp_path, text, sentence):
    (tmp_path / "b.jsonl").write_text(text, encoding="latin-1")
    (tmp_path / "b.parquet").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=sentence):
        import_results(elsewhere, tmp_path / "b.jsonl")
    with pytest.raises(InputError, match="no Parquet file"):
        import_results(elsewhere, tmp_path / "b.parquet")
    with pytest.raises(InputError, match="no file"):
        import_results(elsewhere, tmp_path / "nothing.jsonl")


def test_a_bundle_that_cannot_be_written_leaves_the_old_one(filled, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        export_results(filled, tmp_path / "nowhere" / "b.jsonl", EVERYTHING)
    bundle = tmp_path / "b.jsonl"
    bundle.mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        export_results(filled, bundle, EVERYTHING)
    assert bundle.is_dir()


def test_imported_text_is_stored_as_text_only(filled, elsewhere, tmp_path):
    bundle = tmp_path / "results.jsonl"
    export_results(filled, bundle, Filter(task="mail"))
    head, line = bundle.read_text().splitlines()
    changed = json.loads(line)
    changed["task"]["name"] = "<script>alert(1)</script>\x1b[2J\0" + "a" * 9000
    bundle.write_text("\n".join([head, json.dumps(changed)]))
    import_results(elsewhere, bundle)
    (record,) = trials(elsewhere)
    assert record.task.startswith("<script>")
    assert len(record.task) <= 2000
    assert "\0" not in record.task


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
@given(data=st.data(), value=json_values)
def test_whatever_stands_in_a_line_it_is_refused_or_can_be_read_back(store, data, value):
    line = json.loads(LINE) | {"uuid": str(uuid4()), "seed": data.draw(st.integers())}
    place = data.draw(st.sampled_from(sorted(line)))
    inner = line[place]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = value
    else:
        line[place] = value
    try:
        read = from_line(line)
    except ValueError:
        return
    before = len(trials(store))
    added = add_lines(store, [read], "a stranger")
    found = trials(store)
    assert len(found) == before + added
    assert all(str(record.setting) and json.dumps(record.to_json()) for record in found)


def test_a_bundle_nested_too_deep_is_refused(elsewhere, tmp_path):
    bundle = tmp_path / "deep.jsonl"
    bundle.write_text('{"effauto_results": 1}\n' + "[" * 100_000)
    with pytest.raises(StoreError, match="row 1: it is no JSON"):
        import_results(elsewhere, bundle)


def _record(model: ModelTraits = SITUATION.model) -> TrialRecord:
    now = datetime.now(UTC)
    return TrialRecord(
        1, "own", None, "questions", "f00d", SITUATION.task, model, "desk", RECIPE, 1.0, 0,
        "search", "finished", "", now, now, 1.0, FORETOLD, measured(), METHODS, {"torch": "2"}, (),
        "00000000-0000-4000-8000-000000000000", "", SITUATION.hardware.to_json(),
    )  # fmt: skip


LINE = json.dumps(to_line(_record()))
