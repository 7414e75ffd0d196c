"""Ask the ``effauto`` that is on the PATH, from outside the checkout, whether it is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def ask(*arguments: str) -> Any:
    """What ``effauto`` answers in JSON."""
    command = ["effauto", *arguments, "--format", "json"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(answer)


def plugins(folder: str) -> None:
    """The plugins in the wheel are those in ``folder``, and all of them work."""
    found = {entry["plugin"]: entry["status"] for entry in ask("plugins", "list")}
    folders = {path.parent.name for path in Path(folder).glob("*/__init__.py")}
    assert found == dict.fromkeys(folders, "ok"), f"{found}, and the folders are {folders}"
    print(f"{len(found)} plugins work")


def missing() -> None:
    """A method whose package is absent says how to get it."""
    reasons = [entry["reason"] for entry in ask("methods", "list") if not entry["runs_here"]]
    assert any("pip install 'effauto[" in reason for reason in reasons), reasons
    print(*reasons, sep="\n")


def planned(method: str) -> None:
    """A method that is installed beside effauto stands in a plan, and the plan can be run."""
    assert method in {entry["method"] for entry in ask("methods", "list")}
    instant = ("plan", "--model", "bag-of-words", "--search-time", "0")
    plan = ask(*instant)
    recipes = [plan["recipe"], *(other["recipe"] for other in plan["alternatives"])]
    assert any(step["method"] == method for recipe in recipes for step in recipe), recipes
    ask(*instant, "--recipe", method, "--output", "own.json")
    outcome = ask("run", "own.json", "--output", "own")
    assert [step["method"] for step in outcome["recipe"]] == [method], outcome["recipe"]
    print(f"{method} stands in a plan and was run: {outcome['measurement']['quality.accuracy']}")


if __name__ == "__main__":
    {"plugins": plugins, "missing": missing, "planned": planned}[sys.argv[1]](*sys.argv[2:])
