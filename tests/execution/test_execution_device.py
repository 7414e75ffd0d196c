"""The device that computes is told from the machine, its memory limited where it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from effauto.errors import TrialError
from effauto.execution.device import (
    PROCESS,
    TENSORS,
    Host,
    device_for,
    memory_note,
    start,
)
from effauto.execution.meter import Meter
from effauto.hardware import profile

GPU = profile("t4")


def test_a_bag_of_words_is_counted_on_the_processor_whatever_there_is():
    assert device_for("linear", GPU) == "cpu"
    assert device_for("transformer", GPU) == "cuda"
    assert device_for("transformer", replace(GPU, accelerators=())) == "cpu"


def test_the_processors_peak_is_what_was_held_beyond_idling():
    host = Host()
    held = np.ones(2**25)
    assert host.peak() == pytest.approx(held.nbytes, rel=0.05)
    assert host.beside() == {}


def test_a_gpu_that_torch_cannot_use_is_no_riddle(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrialError, match="torch cannot compute on it; install a torch built for"):
        start("cuda")
    start("cpu")


def test_time_is_read_when_the_device_is_done():
    meter, waited = Meter(), []
    meter.device.wait = lambda: waited.append(1)
    meter.lap()
    assert waited == [1]


def test_a_peak_on_a_gpu_says_what_else_was_held():
    note = memory_note({TENSORS: 2**30, PROCESS: 2**29, "train.time": 1.0})
    assert note == "on the GPU, 1GiB of it in tensors; the process itself grew by 512MiB"
    assert memory_note({"train.time": 1.0}) == ""


def test_a_limit_on_a_gpus_memory_is_not_one_on_the_process(job):
    there = job(hardware=GPU, memory_limit=5e8)
    assert there.memory_allowed == pytest.approx(0.9 * GPU.memory_bytes)
    assert job(memory_limit=5e8).memory_allowed == 5e8
