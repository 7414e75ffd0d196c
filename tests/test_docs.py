"""The documentation says what the program does, and its commands work."""

from __future__ import annotations

import csv
import importlib
import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

import effauto
from effauto import hookspecs
from effauto.cli import main
from effauto.task import load_task

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# What takes long: it is run for the README, by a slow test.
LONG = ("effauto run",)
# What answers until it is stopped; tests of their own ask these.
ENDLESS = ("effauto serve", "effauto ui")


def page_id(path):
    return str(path.relative_to(ROOT))


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def commands(path):
    lines = "".join(blocks(path, "sh")).replace("\\\n", " ").splitlines()
    return [line.partition(" # ")[0].strip() for line in lines if line.strip()]


def with_commands():
    return [page for page in PAGES if any(c.startswith("effauto") for c in commands(page))]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The data files that the documentation speaks of."""
    folder = tmp_path_factory.mktemp("files")
    task = load_task("demo", max_rows=400)
    (folder / "data").mkdir()
    for split in ("train", "validation", "test"):
        rows = _rows(getattr(task, split), task.classes)
        _write(folder / "data" / f"{split}.jsonl", ("text", "label"), rows)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "train.txt").write_text("\n".join(task.train.texts))
    rows = _rows(task.train, task.classes)
    _write(folder / "tickets.jsonl", ("body", "queue"), rows)
    with (folder / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return folder


@pytest.fixture
def place(files, tmp_path, monkeypatch):
    """A current folder with those files, an empty database, and what ships with effauto."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("EFFAUTO_REGISTRY", str(ROOT / "registry.db"))
    monkeypatch.setenv("EFFAUTO_DB", str(tmp_path / "results.db"))
    monkeypatch.chdir(tmp_path)


def _rows(examples, classes):
    labels = (classes[index] for index in examples.labels)
    return list(zip(examples.texts, labels, strict=True))


def _write(path, columns, rows):
    lines = (json.dumps(dict(zip(columns, row, strict=True))) for row in rows)
    path.write_text("\n".join(lines))


@pytest.mark.all_methods
def test_generated_parts_are_up_to_date():
    run = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True
    )
    assert run.returncode == 0, f"run 'make docs':\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize("page", with_commands(), ids=page_id)
def test_commands_work(page, cli, place):
    for command in commands(page):
        if command.startswith("effauto") and not command.startswith(LONG + ENDLESS):
            instant = re.sub(r"--search-time \S+", "--search-time 0", command)
            result = cli(*shlex.split(instant)[1:])
            assert result.exit_code == 0, f"{command}\n{result.output}"


def test_results_are_asked_in_python_as_shown(place, capsys):
    pytest.importorskip("pandas")
    (program,) = blocks(ROOT / "docs" / "querying.md", "python")
    exec(compile(program, "querying.md", "exec"), {})
    assert "quality.accuracy" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_notebooks_and_estimators_work_as_shown(place, number, capsys):
    pytest.importorskip("IPython")
    programs = blocks(ROOT / "docs" / "how-to" / "notebooks.md", "python")
    assert len(programs) == 3
    exec(compile(programs[number], "notebooks.md", "exec"), {})


def test_settings_are_scaled_in_python_as_shown(capsys):
    (program,) = blocks(ROOT / "docs" / "from-scratch.md", "python")
    exec(compile(program, "from-scratch.md", "exec"), {})
    assert "parameters at 0.0009765625" in capsys.readouterr().out


def test_results_are_asked_in_sql_as_shown():
    (query,) = blocks(ROOT / "docs" / "querying.md", "sql")
    told = yaml.safe_load((ROOT / "docs" / "datasette.yaml").read_text())["databases"]["registry"]
    queries = [query, *(asked["sql"] for asked in told["queries"].values())]
    with sqlite3.connect(f"file:{ROOT / 'registry.db'}?mode=ro", uri=True) as connection:
        assert all(connection.execute(asked).fetchall() for asked in queries)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert set(told["tables"]) == {name for (name,) in tables}
        for table, described in told["tables"].items():
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            assert columns >= set(described.get("columns", {})), table


@pytest.mark.slow
def test_the_readme_works_from_the_first_command_to_the_last(cli, place):
    for command in commands(ROOT / "README.md"):
        if command.startswith("effauto"):
            shorter = command.replace("--search-time 4min", "--search-time 20s")
            result = cli(*shlex.split(shorter)[1:])
            assert result.exit_code == 0, f"{command}\n{result.output}"
    (program,) = blocks(ROOT / "README.md", "python")
    program = program.replace('search_time="4min"', "search_time=20")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert " True\n" in run.stdout


def test_shells_complete_as_shown(monkeypatch, capsys):
    page = (ROOT / "docs" / "cli.md").read_text()
    assert "_EFFAUTO_COMPLETE=bash_source effauto" in page
    for words, found in (("effauto resu", "results"), ("effauto plan --bud", "--budget")):
        monkeypatch.setenv("_EFFAUTO_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        with pytest.raises(SystemExit):
            main(prog_name="effauto")
        assert f"plain,{found}" in capsys.readouterr().out


def test_other_commands_are_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for command in commands(page):
            program, *arguments = shlex.split(command)
            if program == "make":
                assert targets.issuperset(arguments), f"{page}: {command}"
            elif program not in ("effauto", "pip"):
                assert (ROOT / program).is_file(), f"{page}: {command}"


def mentioned():
    """Each ``effauto …`` in running text or in the help of a command, as its words."""
    pattern = re.compile(r"(?:`|^ *(?:Example: )?)(effauto [a-z][^`\n]*)", re.MULTILINE)
    found = {text for page in PAGES for text in pattern.findall(page.read_text())}
    return sorted(text for text in found if text.split()[1] in main.list_commands(_context(main)))


def _context(command):
    return click.Context(command, info_name=command.name)


@pytest.mark.parametrize("text", mentioned())
def test_what_is_mentioned_exists(text):
    command = main
    words = re.split(r"[ \[]+", text)[1:]
    while isinstance(command, click.Group) and words and re.fullmatch("[a-z]+", words[0]):
        name = words.pop(0)
        command = command.get_command(_context(command), name)
        assert command is not None, f"{text}: there is no {name}"
    known = {option for parameter in command.params for option in parameter.opts}
    assert known.issuperset(word for word in words if word.startswith("--")), text


def test_every_hook_and_every_layer_is_documented():
    plugins = (ROOT / "docs" / "plugins.md").read_text()
    for hook in (name for name in vars(hookspecs) if name.startswith("register_")):
        assert f"`{hook}(" in plugins
    design = (ROOT / "docs" / "design.md").read_text()
    for contract in PROJECT["tool"]["importlinter"]["contracts"]:
        for layer in re.findall(r"effauto\.([a-z]+)", " ".join(contract.get("layers", ()))):
            assert re.search(rf"\b{layer}\b", design)
            assert importlib.import_module(f"effauto.{layer}")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", _prose(page)):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            path = page.parent / target if target else page
            assert path.exists(), f"{page}: {link}"
            assert not anchor or anchor in _anchors(path), f"{page}: {link}"


def _anchors(page):
    headings = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _prose(page):
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def test_versions_agree():
    assert PROJECT["project"]["version"] == effauto.__version__


def test_no_pin_is_of_a_local_build():
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    assert len(pins) > 50
    assert not any("+" in pin for pin in pins)


def test_the_site_has_every_page_and_no_broken_link(tmp_path):
    pages = tmp_path / "pages"
    script = ROOT / "docs" / "site.py"
    subprocess.run([sys.executable, script, pages], check=True)
    links = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:)([^)#\s]+)")
    for page in pages.rglob("*.md"):
        for aim in links.findall(re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.S)):
            assert (page.parent / aim).exists(), f"{page.name} links to {aim}"
    assert {path.stem for path in (pages / "cards").iterdir()} == {
        path.parent.name for path in (ROOT / "plugins").glob("*/README.md")
    }
