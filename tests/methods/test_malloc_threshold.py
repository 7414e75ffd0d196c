"""malloc-threshold: freed tensors go back to the system, in a process of their own."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import replace

import pytest

from effauto import Accelerator
from effauto.checks.samples import MACHINE, MODELS, TASKS
from effauto.cost import memory

plugin = pytest.importorskip("effauto.bundled.malloc_threshold", reason="this plugin is not here")
METHOD = plugin.MallocThreshold()

# Tensors of 100 KiB stay below glibc's first threshold; those in between keep the heap from
# shrinking from its end.
_RESIDENT_AFTER_FREEING = """
import sys
import torch
from effauto.bundled.malloc_threshold import MallocThreshold
from effauto.execution.device import resident_bytes
if sys.argv[1] == "with":
    assert MallocThreshold().prepare("rows", {}, None) == "rows"
before = resident_bytes()
blocks = [(torch.ones(25_600), torch.ones(64)) for _ in range(1000)]
small = [pair[1] for pair in blocks]
del blocks
print(resident_bytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator is not here")
def test_freed_tensors_are_given_back():
    kept = {}
    for which in ("with", "without"):
        asked = [sys.executable, "-c", _RESIDENT_AFTER_FREEING, which]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        kept[which] = float(said)
    assert kept["with"] < 10e6
    assert kept["without"] > 90e6


def test_another_libc_is_refused(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert "another libc" in METHOD.fits(TASKS[0], MODELS[0]).reason
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    assert METHOD.fits(TASKS[0], MODELS[0])


def test_a_gpu_has_an_allocator_of_its_own():
    computing_elsewhere = replace(MACHINE, accelerators=(Accelerator("a GPU", 2**33, (8, 0)),))
    assert METHOD.needs.met(MACHINE)
    assert "runs on cpu" in METHOD.needs.met(computing_elsewhere).reason


def test_costs_trade_time_for_resident_memory(work):
    cost = METHOD.cost(work, {})
    assert memory.train_bytes(cost, "cpu").value < memory.train_bytes(work, "cpu").value
    assert memory.train_bytes(cost, "cuda") == memory.train_bytes(work, "cuda")
    assert cost.host_seconds > work.host_seconds
    frozen = replace(work, backward_passes=0.0)
    assert METHOD.cost(frozen, {}).host_seconds == work.host_seconds
