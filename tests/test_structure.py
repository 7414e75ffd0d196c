"""Adding or taking away a method touches one folder, and its code stays small."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from effauto.plugins import load_plugins

ROOT = Path(__file__).resolve().parents[1]
METHODS = load_plugins().methods()
# A slot may be called as the one method that takes it; such a name is a word of the field.
NAMES = sorted(METHODS.keys() - {method.slot for method in METHODS.values()})
FOLDERS = sorted(path.parent for path in (ROOT / "plugins").glob("*/__init__.py"))


@pytest.fixture(scope="module")
def strings() -> list[tuple[str, str]]:
    """Where in the package each string stands that is no docstring."""
    found = []
    for path in sorted((ROOT / "effauto").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(line) for line in _docstrings(tree)}
        found += [
            (f"{path.relative_to(ROOT)}:{node.lineno}", node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
        ]
    return found


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield body[0].value


@pytest.mark.parametrize("name", NAMES)
def test_no_method_is_named_in_the_package(strings, name):
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    places = [place for place, string in strings if word.search(string)]
    assert not places, f"{name} is named in {', '.join(places)}"


def test_no_method_names_another():
    """They speak of facts, slots and stages; cards and tests may tell of others."""
    for folder in FOLDERS:
        own = {m.name for m in METHODS.values() if _folder(m) == folder}
        for path in folder.glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            told = {id(line) for line in _docstrings(tree)}
            named = {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and id(node) not in told
            }
            assert not named & (set(NAMES) - own), f"{path} names another method"


def _folder(method: object) -> Path:
    return ROOT / "plugins" / type(method).__module__.split(".")[2]


def test_a_plugin_is_small():
    """The median folder has at most 150 lines that are not blank, no file more than 200 in all."""
    texts = {
        folder: [p.read_text().splitlines() for p in folder.glob("*.py")] for folder in FOLDERS
    }
    assert max(len(text) for files in texts.values() for text in files) <= 200
    filled = [
        sum(bool(line.strip()) for text in files for line in text) for files in texts.values()
    ]
    assert statistics.median(filled) <= 150
    assert len(METHODS) >= 34


def test_each_method_is_in_the_matrix(cli):
    said = cli("methods", "matrix", "--model", "minilm")
    if said.exit_code:
        pytest.skip(said.output)
    assert [name for name in METHODS if name not in said.output] == []
    needing = {need for method in METHODS.values() for need in method.needs.named}
    assert [need for need in needing if f"Needs {need}: " not in said.output] == []
