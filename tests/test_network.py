"""No command talks to the network, nor does what it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from effauto.errors import ModelError
from effauto.model import find_model

# Python imports this by itself at its start, in the worker as in the command.
GUARD = """
import os, socket

def refuse(*arguments, **_):
    with open(os.environ["NETWORK_CALLS"], "a") as file:
        print(arguments[-1], file=file)
    raise OSError("a network call")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""


@pytest.fixture
def offline(tmp_path):
    """Run ``effauto`` where each network call is refused; return what was called."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    calls = tmp_path / "calls"
    path = os.pathsep.join([str(tmp_path / "guard"), os.getcwd()])
    environment = os.environ | {"PYTHONPATH": path, "NETWORK_CALLS": str(calls)}
    environment.pop("HF_HUB_OFFLINE", None)

    def offline(*arguments):
        command = [sys.executable, "-m", "effauto", *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        return calls.read_text() if calls.exists() else ""

    return offline


def test_the_guard_hears_a_call(offline, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "guard"),
                                "NETWORK_CALLS": str(tmp_path / "calls")}  # fmt: skip
    asks = "import socket; socket.getaddrinfo('localhost', 80)"
    subprocess.run([sys.executable, "-c", asks], env=environment, capture_output=True)
    assert Path(tmp_path / "calls").read_text() == "80\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "recipe"), [("bag-of-words", "untouched"), ("minilm", "head-only + random-subset")]
)
def test_a_plan_and_a_run_of_the_demo_call_nobody(offline, tmp_path, model, recipe):
    try:
        find_model(model)
    except ModelError as error:
        pytest.skip(str(error))
    plan = tmp_path / "plan.json"
    asked = ["plan", "--model", model, "--recipe", recipe, "--country", "DEU", "--max-trials", 1]
    assert offline(*asked, "--output", plan) == ""
    assert offline("run", plan, "--output", tmp_path / "model") == ""
