"""The page of a plan and of a study: whole, of one file, and harmless whatever the texts hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import Result
from drawn_page import NAME, Drawn

from effauto.report.page.points import best_point, points_of
from effauto.report.page.render import embedded

Cli = Callable[..., Result]


class Seen(HTMLParser):
    """Which elements a page has, what they load, and its text outside of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = tag
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


def test_it_answers_in_one_sentence_and_loads_nothing(drawn: Drawn) -> None:
    page = drawn.page.read_text(encoding="utf-8")
    seen = Seen(page)
    assert f"For {NAME}, take bag-of-words" in seen.text
    assert set(seen.loaded) == {"#main"}
    assert "default-src 'none'" in page
    assert "Keeps every limit that was given" in seen.text


def test_text_of_the_data_is_no_markup(drawn: Drawn) -> None:
    page = drawn.page.read_text(encoding="utf-8")
    assert Seen(page).tags.count("script") == 4  # the data, the charts' library, and two of ours
    assert "<script>document.title" not in page


def test_embedded_data_cannot_end_their_element() -> None:
    text = embedded({"a": "</script><script>alert(1)</script>"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><script>alert(1)</script>"}


def test_it_holds_every_recipe_with_its_range(drawn: Drawn) -> None:
    page = drawn.page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data = json.loads(found[1])
    chosen = next(point for point in data["points"] if point["kind"] == "chosen")
    assert chosen["figures"]["model.size"]["value"] == drawn.plan.estimate["model.size"].value
    assert {limit["resource"] for limit in data["limits"]} == {"model.size", "inference.latency"}
    assert len(data["course"]) == drawn.plan.search["trials"]
    assert "train.time" in data["pairs"]


def test_what_breaks_a_limit_is_never_the_best(drawn: Drawn) -> None:
    points = points_of(drawn.plan)
    best = best_point(points, f"quality.{drawn.plan.task.metric}")
    assert best is not None
    assert not best.broken


def test_a_plan_file_and_a_study_are_drawn_by_the_command(
    drawn: Drawn, cli: Cli, tmp_path: Path
) -> None:
    for asked in (drawn.file, drawn.plan.search["study"]):
        target = tmp_path / f"{Path(str(asked)).stem}.html"
        found = cli("report", asked, "--db", drawn.db, "--output", target)
        assert found.exit_code == 0, found.output
        assert found.output.strip() == str(target)
        assert Seen(target.read_text(encoding="utf-8")).tags.count("h1") == 1


def test_an_instant_plan_is_drawn_as_it_is_made(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "deeper" / "plan.html"
    page.parent.mkdir()
    asked = ("plan", "--model", "bag-of-words", "--search-time", "0", "--report", page)
    assert cli(*asked).exit_code == 0
    assert "foretold only" in Seen(page.read_text(encoding="utf-8")).text


def test_an_infeasible_plan_says_so(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    asked = ("plan", "--model", "bag-of-words", "--search-time", "0", "--budget", "model.size<=1kB")
    assert cli(*asked, "--report", page).exit_code == 3
    assert "No recipe keeps the budget" in Seen(page.read_text(encoding="utf-8")).text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("report", "99"), "There is no study 99"),
        (("report", "no.json"), "cannot be read"),
    ],
)
def test_what_is_not_there_is_said(
    asked: tuple[str, ...], said: str, drawn: Drawn, cli: Cli
) -> None:
    found = cli(*asked, "--db", drawn.db)
    assert found.exit_code == 2
    assert said in found.output


def test_without_the_extra_it_names_it_before_any_work(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("effauto.report.page.render.find_spec", lambda name: None)
    found = cli("plan", "--search-time", "0", "--report", tmp_path / "plan.html")
    assert found.exit_code == 2
    assert "pip install 'effauto[report]'" in found.output
