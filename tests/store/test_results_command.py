"""``effauto results`` from outside."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from samples import ARTEFACT, FORETOLD, RECIPE, SITUATION, finished, measured

from effauto.cli.results import results
from effauto.errors import BudgetError, EffautoError, Infeasible, InputError, StoreError
from effauto.recipe import Recipe
from effauto.resources import exactly
from effauto.store import open_store

Command = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Command:
    """Run ``effauto results`` on a database with three trials; errors come out as they are."""
    path = tmp_path / "results.db"
    store = open_store(path)
    finished(store, Recipe(), quality=0.8, latency=0.002, task="[red]mail[/red]\x1b[2J")
    number = store.begin_trial(RECIPE, SITUATION, purpose="run", seed=4, foretold=FORETOLD)
    took = {"train.time": exactly(40.0, "s")}
    store.finish_trial(number, measured(**took), [ARTEFACT])
    failed = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=5, fidelity=0.25)
    store.fail_trial(failed, "It needed more memory than it may use.")
    store.close()

    def run(command: str, *arguments: str) -> Result:
        result = CliRunner().invoke(results, [command, *arguments, "--db", str(path)])
        if isinstance(result.exception, EffautoError):
            raise result.exception
        return result

    return run


def test_json_is_a_list_of_trials_with_units(run: Command) -> None:
    answer: list[dict[str, Any]] = json.loads(run("list", "--format", "json").stdout)
    assert [trial["id"] for trial in answer] == ["3", "2", "1"]
    trial = answer[1]
    assert trial["recipe"] == RECIPE.to_json()
    assert trial["task"].items() >= json.loads(json.dumps(SITUATION.task.to_json())).items()
    assert trial["measurement"]["inference.latency"].items() >= {
        ("value", 0.004),
        ("unit", "s"),
        ("low", 0.004),
        ("high", 0.004),
    }
    assert trial["estimate"]["train.time"]["low"] == 20.0
    assert trial["artefacts"][0]["size"] == ARTEFACT.size
    assert (answer[0]["state"], answer[0]["fidelity"]) == ("failed", 0.25)
    assert "memory" in answer[0]["error"]


def test_a_table_fits_the_terminal_and_shows_names_as_they_are(run: Command) -> None:
    table = run("list").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "[red]mail[/red]" in table
    assert "\x1b" not in table
    assert "failed" in table


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--task", "questions"], ["3", "2"]),
        (["--method", "shrink", "--state", "finished"], ["2"]),
        (["--without", "shrink"], ["1"]),
        (["--where", "inference.latency<=5ms", "--sort", "inference.latency"], ["1", "2"]),
        (["--where", "quality.accuracy>=85%", "--where", "inference.latency<=3ms"], []),
        (["--purpose", "run", "--since", "7d"], ["2"]),
        (["--hardware", "desk", "--model", "tiny", "--limit", "1"], ["3"]),
        (["--hardware", "another"], []),
        (["--since", "2020-01-31", "--limit", "1"], ["3"]),
        (["--since", "9999-01-01"], []),
    ],
)
def test_filters(run: Command, options: list[str], ids: list[str]) -> None:
    answer = json.loads(run("list", *options, "--format", "json").stdout)
    assert [trial["id"] for trial in answer] == ids


def test_csv_has_exact_numbers_and_the_columns_asked_for(run: Command) -> None:
    columns = "id,inference.latency,estimate.train.time"
    text = run("list", "--format", "csv", "--columns", columns).stdout
    assert text.splitlines() == [columns, "3,,", "2,0.004,30.0", "1,0.002,"]
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv").stdout)))
    assert rows[1]["quality.accuracy"] == "0.9"
    assert rows[2]["task"] == "[red]mail[/red]", "control sequences are dropped"


def test_one_trial_closely(run: Command) -> None:
    text = run("show", "2").stdout
    for part in ("shrink (how=alternate, share=0.25)", "30s (20s to 45s)", ARTEFACT.path, "4ms"):
        assert part in text
    assert "It needed more memory" in run("show", "3").stdout
    assert json.loads(run("show", "2", "--format", "json").stdout)["id"] == "2"


def test_a_front_of_several_tasks_is_warned_of(run: Command) -> None:
    result = run("pareto", "quality.accuracy", "inference.latency", "--format", "json")
    assert [trial["id"] for trial in json.loads(result.stdout)] == ["2", "1"]
    result = run("pareto", "quality.accuracy", "inference.latency")
    assert "do not compare" in result.stderr
    result = run("pareto", "quality.accuracy", "inference.latency", "--task", "questions")
    assert result.stderr == ""


def test_nothing_to_show_is_said_with_what_to_do() -> None:
    result = CliRunner().invoke(results, ["list"])
    assert result.exit_code == 0
    assert "No results yet. 'effauto plan DATA'" in result.stdout
    assert json.loads(CliRunner().invoke(results, ["list", "--format", "json"]).stdout) == []


def test_no_match_is_told_from_no_results(run: Command) -> None:
    assert "No trial passes these filters" in run("list", "--task", "other").stdout


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["list", "--where", "inference.latency<=5kg"], BudgetError, "takes a quantity in s"),
        (["list", "--sort", "beauty"], BudgetError, "no resource"),
        (["list", "--columns", "id,beauty"], InputError, "no column. Known: id, origin"),
        (["list", "--since", "yesterday"], InputError, "no date and no age"),
        (["show", "77"], StoreError, "no trial '77'"),
        (["pareto", "quality.accuracy", "beauty"], BudgetError, "no resource"),
    ],
)
def test_bad_input(
    run: Command, arguments: list[str], error: type[EffautoError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        run(*arguments)


def test_accuracy_puts_what_was_foretold_beside_what_was_measured(run: Command) -> None:
    (found,) = json.loads(run("accuracy", "--format", "json").stdout)
    assert found.items() >= {("resource", "train.time"), ("group", "all"), ("trials", 1)}
    assert found["mape"] == pytest.approx(0.25)  # 30 s were foretold, 40 s measured
    assert found["bias"] == pytest.approx(-0.25)
    assert found["coverage"] == 1.0
    assert found["worst"] == ["2"]


def test_accuracy_is_told_by_method_and_by_machine(run: Command) -> None:
    table = run("accuracy", "--by", "method").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "squeeze" in table
    rows = list(
        csv.DictReader(io.StringIO(run("accuracy", "--by", "method", "--format", "csv").stdout))
    )
    assert [row["group"] for row in rows] == ["shrink", "squeeze"]
    assert "desk" in run("accuracy", "--by", "machine").stdout


def test_accuracy_of_nothing_says_so(run: Command) -> None:
    assert "No trial has both" in run("accuracy", "--resource", "model.size").stdout
    with pytest.raises(BudgetError, match="is no resource"):
        run("accuracy", "--resource", "speed")


def test_markdown_is_a_table_without_markup(run: Command) -> None:
    lines = run("list", "--format", "markdown").stdout.splitlines()
    assert len({line.replace("&#124;", "").count(" | ") for line in lines}) == 1
    assert "&#91;red&#93;mail" in lines[-1]


def test_parquet_has_exact_numbers(run: Command, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "results.parquet"
    run("list", "--format", "parquet", "--output", str(file))
    rows = parquet.read_table(file).to_pylist()
    assert [row["id"] for row in rows] == ["3", "2", "1"]
    assert rows[1]["inference.latency"] == 0.004
    with pytest.raises(InputError, match="go together"):
        run("list", "--format", "parquet")


def test_the_best_within_a_budget(run: Command) -> None:
    found = json.loads(run("best", "--task", "questions", "--format", "json").stdout)
    assert (found["id"], found["as_good"]) == ("2", [])
    table = run("best", "--task", "questions", "--budget", "inference.latency<=5ms")
    assert "effauto results show 2" in table.stderr
    with pytest.raises(Infeasible, match="keeps this budget"):
        run("best", "--task", "questions", "--budget", "inference.latency<=1ms")
    with pytest.raises(InputError, match="choose one with --task"):
        run("best")


def test_neither_failures_nor_parts_are_the_best_however_many(tmp_path: Path) -> None:
    path = tmp_path / "many.db"
    store = open_store(path)
    whole = finished(store, quality=0.5)
    situation = replace(SITUATION, fingerprint="fingerprint of questions")
    for seed in range(205):  # more than are weighed
        part = store.begin_trial(RECIPE, situation, purpose="search", seed=seed, fidelity=0.1)
        store.finish_trial(part, measured(0.9))
    failed = store.begin_trial(RECIPE, situation, purpose="search", seed=0)
    store.fail_trial(failed, "it misses its guard", measured=measured(0.95))
    store.close()
    found = CliRunner().invoke(results, ["best", "--db", str(path), "--format", "json"])
    assert json.loads(found.stdout)["id"] == str(whole)


def test_texts_in_csv_are_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    store = open_store(path)
    finished(store, task="=1+1")
    store.close()
    arguments = ["list", "--db", str(path), "--format", "csv", "--columns", "task"]
    assert CliRunner().invoke(results, arguments).stdout.splitlines() == ["task", "'=1+1"]


def test_two_recipes_compared(run: Command) -> None:
    with pytest.raises(StoreError, match="differ in the task"):
        run("compare", "1", "2")
    table = run("compare", "2", "2").stdout
    assert "×1" in table
    assert max(map(len, table.splitlines())) <= 80
    found = json.loads(run("compare", "2", "2", "--format", "json").stdout)
    assert found["differences"][0]["seeds"] == 1


def test_methods_and_counts(run: Command) -> None:
    assert "No two trials differ by one method" in run("methods").stdout
    assert json.loads(run("methods", "--format", "json").stdout) == []
    (own,) = json.loads(run("stats", "--format", "json").stdout)
    assert own["states"] == {"failed": 1, "finished": 2}
    assert "measurements" in run("stats").stdout


def test_results_are_shared(run: Command, tmp_path: Path) -> None:
    bundle = tmp_path / "results.jsonl"
    assert "3 trials are in" in run("export", str(bundle)).stdout
    assert "0 trials were added; 3 were known" in run("import", str(bundle)).stdout
    own = ["import", str(bundle), "--db", str(tmp_path / "mine.db"), "--source", "them"]
    assert "3 trials were added" in CliRunner().invoke(results, own).stdout
    shown = CliRunner().invoke(results, ["show", "1", "--db", str(tmp_path / "mine.db")]).stdout
    assert "Measured by them" in shown
    with pytest.raises(InputError, match=r"\.jsonl or \.parquet"):
        run("export", str(tmp_path / "results.csv"))
