"""What ``effauto plugins new`` writes works once it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from sample_plugins import GOOD


@pytest.fixture
def scaffold(cli, tmp_path):
    def scaffold(name="keep-middling"):
        result = cli("plugins", "new", name, "--output", tmp_path)
        assert result.exit_code == 0
        folder = tmp_path / f"effauto-{name}"
        assert result.stdout == f"{folder}\n"
        return folder

    return scaffold


@pytest.mark.skipif(not find_spec("hatchling"), reason="building needs hatchling installed")
def test_installed_it_is_listed_and_passes_its_own_tests(scaffold, tmp_path):
    folder, site = scaffold(), tmp_path / "site"
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run(sys.executable, "-m", "pip", "install", *options, "--target", site, folder)
    listing = ["-m", "effauto", "plugins", "list", "--format", "json"]
    listed = json.loads(run(sys.executable, *listing, on_path=site))
    (entry,) = (entry for entry in listed if entry["plugin"] == "keep-middling")
    assert entry["methods"] == ["keep-middling"]
    assert entry["origin"] == "effauto-keep-middling 0.1.0"
    tested = run(sys.executable, "-m", "pytest", folder / "tests", on_path=site, folder=folder)
    assert "passed" in tested


def run(*command, on_path="", folder=None):
    run = subprocess.run(
        [*map(str, command)],
        env=os.environ | {"PYTHONPATH": str(on_path)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("name", ["keep-middling", "method", "float", "a1", "lambda"])
def test_it_conforms_whatever_its_name(scaffold, cli, name):
    folder = scaffold(name)
    checked = cli("plugins", "check", folder / "src")
    assert checked.exit_code == 0, checked.output


def test_it_really_selects(scaffold, cli):
    from effauto import Examples
    from effauto.plugins import Plugins, find_in_folder

    (method,) = Plugins(find_in_folder(scaffold() / "src"), strict=True).methods().values()
    inputs = tuple(("x" * length,) for length in (5, 1, 9, 4, 6))
    data = Examples("text-classification", inputs, (0,) * 5)
    kept = method.prepare(data, {"shortest": 0.2, "longest": 0.2}, None)
    assert kept.texts == ["x" * 5, "x" * 4, "x" * 6]


@pytest.mark.parametrize("name", ["Keep", "keep_middling", "-x", "1st", "a b", "../up", "", "é"])
def test_a_name_no_method_can_have_is_refused(cli, tmp_path, name):
    result = cli("plugins", "new", "--output", tmp_path, "--", name)
    assert result.exit_code == 2
    assert "cannot be a method's name" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(scaffold, cli, tmp_path):
    readme = scaffold() / "pyproject.toml"
    readme.write_text("mine")
    result = cli("plugins", "new", "keep-middling", "--output", tmp_path)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert readme.read_text() == "mine"


def test_a_taken_method_is_refused(write, cli, tmp_path):
    folder = write(good=GOOD)
    result = cli("--plugins-dir", folder, "plugins", "new", "good", "--output", tmp_path)
    assert result.exit_code == 2
    assert "already a method named 'good'" in result.stderr


def test_an_unwritable_place_is_a_sentence(cli):
    result = cli("plugins", "new", "keep-middling", "--output", "/proc/nowhere")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: cannot write /proc/nowhere")
