"""Whatever a trial does, the worker answers, and the next trial runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from effauto.errors import (
    Crashed,
    DataError,
    IllegalRecipe,
    ModelError,
    OutOfMemory,
    OutputError,
    TimedOut,
    TrialError,
)
from effauto.execution.pool import Worker
from effauto.recipe import Recipe

CLIENT = Path(__file__).with_name("hanging_client.py")
ENDINGS = {
    "raises": (TrialError, "^ValueError: too bad\n"),
    "leaves": (TrialError, "SystemExit: 3"),
    "vanishes": (Crashed, "its process left with exit code 0 and no result"),
    "dies": (Crashed, "its process left with exit code 7 and no result"),
    "crashes": (Crashed, "died of SIGSEGV"),
    "starves": (OutOfMemory, "no memory was left"),
    "reads": (TrialError, "EOFError"),
    "raves": (TrialError, "^ValueError: xxx"),
}


@pytest.mark.parametrize(("method", "error", "message"), [(k, *v) for k, v in ENDINGS.items()])
def test_a_trial_that_breaks_is_reported(worker, job, misbehaving, method, error, message):
    broken = job(Recipe.of(method), plugin_folders=(misbehaving,))
    with pytest.raises(error, match=message) as caught:
        worker.run(broken)
    assert type(caught.value) is error
    assert not broken.folder.exists()


def test_the_trace_of_a_plugins_bug_is_kept(worker, job, misbehaving):
    with pytest.raises(TrialError) as caught:
        worker.run(job(Recipe.of("raises"), plugin_folders=(misbehaving,)))
    assert 'raise ValueError("too bad' in "".join(caught.value.__notes__)


def test_a_trial_that_hangs_is_ended_in_time(worker, job, misbehaving):
    start = time.monotonic()
    with pytest.raises(TimedOut, match="needed more than the 1 s it may take"):
        worker.run(job(Recipe.of("hangs"), plugin_folders=(misbehaving,), time_limit=1.0))
    assert time.monotonic() - start < 5


def test_a_trial_that_eats_memory_is_ended(worker, job, misbehaving):
    greedy = job(Recipe.of("eats"), plugin_folders=(misbehaving,), memory_limit=200 * 2**20)
    with pytest.raises(OutOfMemory, match="needed more than the 200 MiB it may use"):
        worker.run(greedy)


def test_without_a_limit_most_of_the_machine_may_be_used(job):
    free = job()
    assert free.memory_allowed == pytest.approx(0.9 * free.hardware.memory_bytes)
    assert replace(free, memory_limit=5e8).judging().memory_allowed == free.memory_allowed


def test_what_a_plugin_prints_is_no_answer(worker, job, misbehaving):
    done = worker.run(job(Recipe.of("prints"), plugin_folders=(misbehaving,)))
    assert done["values"]["train.time"] > 0
    assert "not an answer" in worker.log_tail()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"recipe": Recipe.of("magic")}, IllegalRecipe),
        ({"data": Path("/nowhere")}, DataError),
        ({"model": "/nowhere"}, ModelError),
        ({"folder": Path("/proc/nowhere/model")}, OutputError),
    ],
)
def test_errors_keep_their_kind_on_the_way(worker, job, change, error):
    with pytest.raises(error):
        worker.run(replace(job(), **change))


def test_progress_is_told(worker, job):
    seen = []
    worker.run(job(), lambda what, share: seen.append((what, share)))
    assert ("fitting", 0.0) in seen


def test_a_worker_that_was_killed_is_started_again(job):
    with Worker(["linear"]) as worker:
        worker.start()
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(Crashed, match="the worker process died"):
            worker.run(job())
        assert worker.run(job())["values"]["train.labels"] == 120


@pytest.fixture
def client(job, misbehaving, tmp_path):
    """A process that waits for a hanging trial, and the processes it started."""
    path = tmp_path / "job.json"
    hanging = job(Recipe.of("hangs"), plugin_folders=(misbehaving,))
    path.write_text(json.dumps(hanging.to_json()))
    process = subprocess.Popen(
        [sys.executable, CLIENT, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    worker = psutil.Process(int(process.stdout.readline()))
    while not worker.children():
        time.sleep(0.05)
    yield process, [worker, *worker.children()]
    process.kill()
    process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running_when_the_client_goes(client, how):
    process, started = client
    process.send_signal(how)
    process.wait(timeout=10)
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
