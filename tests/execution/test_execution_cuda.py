"""Recipes on a GPU; skipped where there is none. CUDA starts in workers' children alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from effauto.errors import OutOfMemory
from effauto.hardware import this_machine

HERE = replace(this_machine(), threads=1)
pytestmark = pytest.mark.skipif(HERE.device != "cuda", reason="there is no GPU here")

ANSWERS = """
import json, sys
from pathlib import Path
import effauto
model = effauto.load(sys.argv[1], device=sys.argv[2])
print(json.dumps(model.predict(["good film"] + ["a day in the life"] * 3 + ["bad"])))
"""


@pytest.fixture
def trained(worker, job, tiny_model):
    """The job of a training on the GPU that is done, and what it measured."""
    wanted = job(model=tiny_model, hardware=HERE)
    return wanted, worker.run(wanted)["values"]


def test_memory_is_that_of_the_gpu(trained):
    _, values = trained
    assert 0 < values["memory.tensors"] <= values["train.memory"] + 2**26
    assert values["memory.process"] > 0


def test_operations_are_those_of_the_processor(worker, job, tiny_model, trained):
    _, values = trained
    here = job(model=tiny_model, hardware=replace(HERE, accelerators=()))
    assert values["train.flops"] == pytest.approx(worker.run(here)["values"]["train.flops"])


def test_the_gpu_is_judged_on(worker, trained):
    wanted, _ = trained
    memory = worker.run(wanted.judging())["figures"]["inference.memory"]
    assert memory["note"].startswith("on the GPU")
    assert memory["value"] > 0


def test_what_was_trained_on_a_gpu_answers_alike_on_a_processor(trained):
    wanted, _ = trained
    answers = [
        subprocess.run(
            [sys.executable, "-c", ANSWERS, str(wanted.folder), device],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for device in ("cuda", "cpu")
    ]
    assert answers[0] == answers[1] != ""


def test_a_limit_on_memory_is_one_on_the_gpus(worker, job, tiny_model):
    greedy = job(model=tiny_model, hardware=HERE, memory_limit=2**20)
    with pytest.raises(OutOfMemory, match="CUDA out of memory"):
        worker.run(greedy)
