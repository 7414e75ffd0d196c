"""The built-in demo: real docstrings, read without importing the libraries."""

import json
import re
import subprocess
import sys

import pytest

from effauto.errors import DataError
from effauto.task import load_task

PROBE = """
import json, sys, time
start = time.process_time()
from effauto.task import load_task
task = load_task("demo")
print(json.dumps({
    "seconds": time.process_time() - start,
    "fingerprint": task.fingerprint,
    "imported": [name for name in ("torch", "transformers", "numpy", "sklearn", "smac", "rich")
                 if name in sys.modules],
}))
"""


@pytest.fixture(scope="module")
def demo():
    return load_task()


def test_it_is_a_balanced_task_of_some_size(demo):
    assert (demo.name, demo.kind) == ("demo", "text-classification")
    assert len(demo.classes) == 8
    assert len(demo.train) + len(demo.validation) + len(demo.test) >= 1_500
    assert demo.traits.majority_share < 0.14
    assert demo.traits.duplicate_share == 0
    assert "torch" in demo.notes[0]


def test_no_text_names_its_library(demo):
    names = re.compile(rf"(?<![a-z])({'|'.join(demo.classes)})", re.IGNORECASE)  # not Dirichlet
    for split in (demo.train, demo.validation, demo.test):
        for text in split.texts:
            assert 40 <= len(text) <= 400
            assert text.isascii()
            assert not names.search(text)


def test_it_is_quick_and_the_same_each_time_and_imports_no_library(demo):
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True)
    seen = json.loads(run.stdout)
    assert seen["imported"] == []
    assert seen["fingerprint"] == demo.fingerprint
    assert seen["seconds"] < 3  # about one second on an idle machine


def test_it_takes_no_columns():
    with pytest.raises(DataError, match="the built-in demo is a text classification"):
        load_task("demo", columns={"text": "docstring"})


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Read the demo with a cache of its own; give what was read and the file that it left."""
    monkeypatch.setenv("EFFAUTO_CACHE_DIR", str(tmp_path))
    task = load_task()
    (file,) = (tmp_path / "demo").glob("*.json")
    return task, file


def test_it_is_read_once_and_then_remembered(kept, monkeypatch):
    task, _ = kept
    monkeypatch.setattr("effauto.task.demo._read", lambda: pytest.fail("read again"))
    assert load_task().fingerprint == task.fingerprint


@pytest.mark.parametrize("damage", [b"", b"[[1", b"7", b'["row"]'])
def test_damaged_memories_are_read_anew(kept, damage):
    task, file = kept
    whole = file.read_bytes()
    file.write_bytes(damage)
    assert load_task().fingerprint == task.fingerprint
    assert file.read_bytes() == whole


def test_it_is_read_where_nothing_can_be_kept(tmp_path, monkeypatch, demo):
    (tmp_path / "demo").write_text("a file where a folder should be")
    monkeypatch.setenv("EFFAUTO_CACHE_DIR", str(tmp_path))
    assert load_task().fingerprint == demo.fingerprint
