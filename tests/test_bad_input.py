"""Bad input gets one sentence and exit code 2 from the real command line, never a traceback."""

from __future__ import annotations

import json
import re
import resource
import sqlite3
from contextlib import closing

import pytest
from sample_tasks import topic_rows

from effauto.store import open_store

ROW = b'{"text": "fine weather", "label": "good"}\n'
GOOD = "".join(json.dumps(row) + "\n" for row in topic_rows(60)).encode()
QUICK = ("--model", "bag-of-words", "--search-time", "0")


def sentence(told):
    """The one sentence of a command that was refused."""
    assert told.exit_code == 2, told.output
    assert told.stdout == ""
    assert "Traceback" not in told.stderr
    *_, last = told.stderr.strip().splitlines()
    assert last.startswith("Error: ")
    return last


DATA = {
    "empty": (b"", r"data\.jsonl is empty"),
    "broken_line": (ROW * 3 + b'{"text": \n', r"data\.jsonl, line 4: broken JSON"),
    "no_label": (b'{"text": "x", "stars": 5}\n' * 30, r"'stars'.*--column label="),
    "one_class": (ROW * 30, r"data\.jsonl has one class only, 'good'"),
    "three_rows": (ROW * 3, r"data\.jsonl holds 3 training rows; at least 20"),
    "mixed_labels": (ROW + ROW.replace(b'"good"', b"1"), r"line 2: .*'1' under 'label' is a num"),
    "not_utf8": (ROW + b'{"text": "caf\xe9"}', r"data\.jsonl, line 2: byte \d+ is"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), DATA.values(), ids=DATA)
def test_data_that_cannot_be_learnt_from(cli, tmp_path, content, message):
    (tmp_path / "data.jsonl").write_bytes(content)
    told = sentence(cli("plan", tmp_path / "data.jsonl", *QUICK))
    assert re.search(message, told), told


USAGE = {
    "missing_file": (["absent.jsonl"], "there is no file or folder"),
    "wrong_unit": (["--budget", "train.time<=3GiB"], "train.time takes a quantity in s"),
    "unknown_resource": (["--budget", "train.speed<=3"], "Known: train.time (10min, 2h)"),
    "no_limit": (["--budget", "be quick"], "write RESOURCE<=QUANTITY"),
    "negative": (["--budget", "model.size<=-1MiB"], "model.size: '-1MiB' must be more than zero"),
    "zero": (["--budget", "model.size<=0"], "model.size"),
    "no_time": (["--search-time", "soon"], "search.time takes a quantity in s"),
    "negative_seed": (["--seed", "-1"], "a seed lies between 0 and"),
    "no_machine": (["--hardware", "abacus"], "there is no machine 'abacus'"),
    "no_model": (["--model", "./nothing"], "./nothing"),
    "no_recipe": (["--recipe", "magic"], "there is no method 'magic'"),
    "broken_recipe": (["--recipe", "[{"], "the recipe is no JSON"),
    "no_price": (["--budget", "train.cost<=2EUR"], "needs a price to reckon with"),
    "wrong_price": (["--price", "cheap"], "'cheap' is no price"),
    "no_country": (["--country", "XXX"], "no carbon intensity is known for 'XXX'"),
    "no_role": (["--column", "body"], "write ROLE=NAME"),
    "other_metric": (["--budget", "quality.f1>=0.9"], "the metric of this task is accuracy"),
}


TYPOS = {
    "command": (["plam"], "No such command 'plam'. Did you mean plan?"),
    "option": (["plan", "--serch-time", "0"], "'--search-time'"),
    "resource": (["plan", "--budget", "size<=3MiB"], "did you mean model.size?"),
    "ending": (["plan", "--budget", "latency<=3ms"], "did you mean inference.latency?"),
    "method": (["methods", "show", "near-dedupe"], "did you mean near-dedup?"),
    "task": (["plan", "--task", "sentiment"], "'text-classification', 'pair-classification'"),
    "workers": (["plan", "--workers", "0"], "0 is not in the range x>=1"),
    "sheet": (["plan", "rows.xlsx"], "save the sheet as CSV"),
    "separator": (["plan", "bars.csv"], "separated by '|'; save it with commas"),
    "text": (["plan", "text.txt"], "plain text is for --task language-modeling"),
    "scratch": (["plan", "--from-scratch"], "add --task language-modeling"),
    "no_model_folder": (["serve", "nowhere"], "nowhere holds no whole model saved by effauto"),
    "no_study": (["report", "7"], "There is no study 7"),
}


@pytest.mark.parametrize(("arguments", "message"), TYPOS.values(), ids=TYPOS)
def test_likely_mistakes_are_told_with_the_mend(cli, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    (tmp_path / "text.txt").write_text("Once upon a time\n")
    (tmp_path / "bars.csv").write_text("text|label\n" + "good words|a\n" * 30)
    told = cli(*arguments)
    assert told.exit_code == 2
    assert message in " ".join(told.output.split())
    assert "Traceback" not in told.output


@pytest.mark.parametrize(("arguments", "message"), USAGE.values(), ids=USAGE)
def test_questions_that_cannot_be_asked(cli, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    data = [] if message.startswith("there is no file") else ["data.jsonl"]
    assert message in sentence(cli("plan", *data, *QUICK, *arguments))


def test_a_model_folder_without_config(cli, tmp_path):
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    (tmp_path / "model").mkdir()
    told = sentence(cli("plan", tmp_path / "data.jsonl", "--model", tmp_path / "model"))
    assert f"the model folder {tmp_path / 'model'} has no config.json" in told
    (tmp_path / "model" / "config.json").write_text('{"hidden_size": 8}')
    told = sentence(cli("plan", tmp_path / "data.jsonl", "--model", tmp_path / "model"))
    assert "does not state its layers" in told


PLANS = {
    "absent": (None, "cannot be read: No such file"),
    "empty": (b"", "is no plan: it is not JSON"),
    "binary": (b"\x80", "is no plan: it is not JSON"),
    "no_plan": (b"{}", "it has no 'effauto_plan' entry"),
    "part": (b'{"effauto_plan": 1}', "is no whole plan: 'task' is missing"),
    "newer": (b'{"effauto_plan": 99}', "has plan schema 99 and this effauto reads 1"),
}


@pytest.mark.parametrize(("content", "message"), PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("command", ["run", "explain"])
def test_plans_that_cannot_be_read(cli, tmp_path, command, content, message):
    plan = tmp_path / "plan.json"
    if content is not None:
        plan.write_bytes(content)
    more = ["--output", tmp_path / "out"] if command == "run" else []
    told = sentence(cli(command, plan, *more))
    assert str(plan) in told
    assert message in told


@pytest.fixture
def plan(cli, tmp_path):
    """A plan file, made by the command line."""
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    made = cli("plan", tmp_path / "data.jsonl", *QUICK, "--output", tmp_path / "plan.json")
    assert made.exit_code == 0, made.output
    return tmp_path / "plan.json"


@pytest.mark.parametrize("place", ["file/model", "file", "."])
def test_a_folder_that_cannot_take_the_model(cli, tmp_path, plan, place):
    (tmp_path / "file").write_text("in the way")
    told = sentence(cli("run", plan, "--output", tmp_path / place))
    assert str(tmp_path) in told
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("place", ["file/plan.json", "."])
def test_a_place_that_cannot_take_the_plan_is_known_before_the_search(cli, tmp_path, place):
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    (tmp_path / "file").write_text("in the way")
    command = ("plan", tmp_path / "data.jsonl", "--model", "bag-of-words", "--search-time", "1h")
    assert "the plan cannot be written to" in sentence(cli(*command, "--output", tmp_path / place))


def test_a_full_disk_leaves_the_older_plan(cli, plan):
    before = plan.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    command = ("plan", plan.with_name("data.jsonl"), *QUICK, "--output", plan, "--seed", 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        told = cli(*command, "--db", plan.with_name("results.db"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told.exit_code == 2
    assert "Traceback" not in told.stderr
    assert "cannot be written" in told.stderr or "disk" in told.stderr
    assert plan.read_bytes() == before


def test_a_database_of_a_newer_schema(cli, tmp_path):
    path = tmp_path / "newer.db"
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    told = sentence(cli("plan", tmp_path / "data.jsonl", *QUICK, "--db", path))
    assert "has the schema 9999" in told
    assert "upgrade effauto" in told


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 99])
def test_a_file_that_is_no_database(cli, tmp_path, content):
    (tmp_path / "own.db").write_bytes(content)
    (tmp_path / "data.jsonl").write_bytes(GOOD)
    told = sentence(cli("plan", tmp_path / "data.jsonl", *QUICK, "--db", tmp_path / "own.db"))
    assert "own.db" in told
    assert (tmp_path / "own.db").read_bytes() == content


def test_a_plan_whose_data_are_gone(cli, tmp_path, plan):
    (tmp_path / "data.jsonl").unlink()
    assert "data.jsonl" in sentence(cli("run", plan, "--output", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
