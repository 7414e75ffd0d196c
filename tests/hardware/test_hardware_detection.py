"""What a machine has is read from the operating system, and never needs torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from effauto.hardware import graphics, this_machine
from effauto.hardware.graphics import parse_graphics
from effauto.hardware.limits import core_quota, memory_limit
from effauto.hardware.power import modelled_watts
from effauto.hardware.processor import parse_cpuinfo

X86 = """processor\t: 0
model name\t: AMD EPYC 9654 96-Core Processor
cpu MHz\t\t: 2400.0
flags\t\t: fpu vme avx2 avx512f avx512_vnni amx_int8 sse4_2
"""
ARM = """processor\t: 0
Features\t: fp asimd evtstrm asimddp
Model\t\t: Raspberry Pi 5 Model B Rev 1.0
"""


def test_processor_of_x86():
    name, flags = parse_cpuinfo(X86)
    assert name == "AMD EPYC 9654 96-Core Processor"
    assert flags == {"avx2", "avx512f", "avx512_vnni", "amx_int8", "sse4_2"}


def test_processor_of_arm():
    assert parse_cpuinfo(ARM) == ("Raspberry Pi 5 Model B Rev 1.0", {"asimd", "asimddp"})


def test_processor_of_nothing():
    assert parse_cpuinfo("") == ("", frozenset())


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_cgroup_2_limits_of_outer_groups_count(tmp_path):
    write(tmp_path / "cpu.max", "150000 100000\n")
    write(tmp_path / "pod/box/cpu.max", "max 100000\n")
    write(tmp_path / "pod/memory.max", "1073741824\n")
    write(tmp_path / "pod/box/memory.max", "max\n")
    assert core_quota(tmp_path, "/pod/box") == 1.5
    assert memory_limit(tmp_path, "/pod/box") == 2**30


def test_cgroup_1_limits(tmp_path):
    write(tmp_path / "cpu/job/cpu.cfs_quota_us", "400000\n")
    write(tmp_path / "cpu/job/cpu.cfs_period_us", "100000\n")
    write(tmp_path / "cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "cpu/cpu.cfs_period_us", "100000\n")
    write(tmp_path / "memory/job/memory.limit_in_bytes", "2147483648\n")
    write(tmp_path / "memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert core_quota(tmp_path, "/job") == 4.0
    assert memory_limit(tmp_path, "/job") == 2**31


def test_no_cgroup_no_limit(tmp_path):
    assert core_quota(tmp_path, "/") is None
    assert memory_limit(tmp_path, "/elsewhere") is None


def test_graphics_of_nvidia_smi():
    (card, second) = parse_graphics(
        "NVIDIA A100-SXM4-40GB, 40960, 8.0, 400.00\nOdd, name, 16384, 7.5, [N/A]\n"
    )
    assert card.accelerator.name == "NVIDIA A100-SXM4-40GB"
    assert card.accelerator.memory_bytes == 40 * 2**30
    assert card.accelerator.capability == (8, 0)
    assert card.watts == 400.0
    assert second.accelerator.name == "Odd, name"
    assert second.watts == 0.0


@pytest.mark.parametrize("answer", ["", "No devices were found", "a, b, c, d\n,,,\n"])
def test_no_graphics(answer):
    assert parse_graphics(answer) == ()


def test_more_threads_draw_more_power():
    one, two = modelled_watts(1, 2**30, ()), modelled_watts(2, 2**30, ())
    assert one.low < two.low
    assert one.value < two.value


def test_this_machine_is_described_without_torch():
    code = (
        "import json, sys; from effauto.hardware import this_machine; m = this_machine();"
        "print(json.dumps([m.to_json(), 'torch' in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    described, torch_imported = json.loads(answer.stdout)
    assert not torch_imported
    assert described["origin"] == "detected"
    assert not described["calibrated"]
    assert described["processor"]


def test_this_machine_is_within_the_physical_one():
    import os

    import psutil

    here = this_machine()
    assert 1 <= here.threads <= here.cores <= (os.cpu_count() or 1)
    assert 0 < here.memory_bytes <= psutil.virtual_memory().total
    assert "guessed" in here.sources["rates"]


@pytest.fixture
def one_gpu(tmp_path, monkeypatch):
    """An ``nvidia-smi`` that tells of a GPU and notes how it was asked."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho "Some GPU, 16384, 8.0, 300"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(graphics, "version", lambda name: "2.9.0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path / "asked"


def test_a_gpu_that_is_hidden_is_none(one_gpu, monkeypatch):
    assert len(graphics.find_graphics()) == 1
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert graphics.find_graphics() == ()


def test_of_several_gpus_the_visible_ones_count(one_gpu, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert len(graphics.find_graphics()) == 1
    assert one_gpu.read_text().split()[-1] == "--id=1"


def test_a_torch_for_processors_uses_no_gpu(one_gpu, monkeypatch):
    monkeypatch.setattr(graphics, "version", lambda name: "2.9.0+cpu")
    assert graphics.find_graphics() == ()
