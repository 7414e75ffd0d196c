"""Why a plan is without a method: the rule, the trial, or the estimate and what it breaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import effauto
from effauto.planner.answers.plan import Plan
from effauto.planner.answers.plan_file import write_plan

Cli = Callable[..., Result]
METHODS = """
from collections.abc import Iterator
from dataclasses import replace
from effauto import Method, hookimpl

class Smaller(Method):
    name = "smaller-part"
    summary = "Read half of the rows."
    stage = "data"
    slot = "subset"
    def cost(self, work, setting):
        return work.on_share(0.5)
    def prepare(self, data, setting, context):
        return data.select(range(len(data) // 2))

class Deep(Method):
    name = "only-deep"
    summary = "Needs a network."
    stage = "finetune"
    requires = frozenset({"transformer"})
    def cost(self, work, setting):
        return work

class Wide(Method):
    name = "much-wider"
    summary = "Takes a hundred megabytes more."
    stage = "compress"
    def cost(self, work, setting):
        return replace(work, folder_bytes=work.folder_bytes + 1e8)

@hookimpl
def register_methods() -> Iterator[Method]:
    yield from (Smaller(), Deep(), Wide())
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path, Path]:
    folder = tmp_path_factory.mktemp("why")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "three.py").write_text(METHODS, encoding="utf-8")
    rows = [f"{'good' if n % 2 else 'bad'} word{n % 9} number {n},{n % 2}" for n in range(200)]
    data = folder / "rows.csv"
    data.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    plan = effauto.plan(
        data,
        model="bag-of-words",
        budget="model.size<=1MiB",
        search_time=60,
        max_trials=6,
        store=str(folder / "results.db"),
        plugins_dirs=[folder / "plugins"],
    )
    write_plan(plan, folder / "plan.json")
    return plan, folder / "plan.json", folder


@pytest.fixture
def asked(made: tuple[Plan, Path, Path], cli: Cli) -> Callable[[str], Result]:
    _, file, folder = made

    def asked(method: str) -> Result:
        given = ("--plugins-dir", folder / "plugins", "explain", file, "--why-not", method)
        return cli(*given, "--db", folder / "results.db")

    return asked


def test_a_rule(asked: Callable[[str], Result]) -> None:
    assert "only-deep requires transformer" in asked("only-deep").output


def test_an_estimate_and_the_limit_that_it_breaks(asked: Callable[[str], Result]) -> None:
    said = asked("much-wider").output
    assert "Alone, on bag-of-words, it is foretold" in said
    assert "which breaks model.size<=1MiB" in said


def test_a_trial(made: tuple[Plan, Path, Path], asked: Callable[[str], Result]) -> None:
    said = asked("smaller-part").output
    if "smaller-part" in made[0].recipe.settings:
        assert said.strip() == "smaller-part is in the plan."
    else:
        assert re.search(r"Tried in full: .*smaller-part reached accuracy", said)


def test_a_method_there_is_not(asked: Callable[[str], Result]) -> None:
    found = asked("smaler-part")
    assert found.exit_code == 2
    assert "there is no method 'smaler-part'; did you mean smaller-part?" in found.output
