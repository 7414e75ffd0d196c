"""Energy is counted where there is a counter, and never guessed in its name."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from effauto.cost import Place, Prices
from effauto.execution import energy
from effauto.execution.energy import counted
from effauto.execution.figures import training_figures
from effauto.hardware import profile, this_machine

HERE = this_machine()
GPU = replace(profile("t4"), power_counter="NVML")


def domain(folder, name, kind, joules, top=100.0):
    path = folder / name
    path.mkdir(parents=True)
    (path / "name").write_text(f"{kind}\n")
    (path / "max_energy_range_uj").write_text(str(int(top * 1e6)))
    count(path, joules)
    return path


def count(path, joules):
    (path / "next").write_text(f"{int(joules * 1e6)}\n")
    (path / "next").replace(path / "energy_uj")


@pytest.fixture
def powercap(tmp_path, monkeypatch):
    """A processor and its memory, the cores that are in the first, and all of the platform."""
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    monkeypatch.setattr(energy.Rapl, "least_seconds", 0.0)
    domain(tmp_path, "intel-rapl:1", "psys", 1000.0)
    domain(tmp_path, "intel-rapl:0:0", "core", 3.0)
    return domain(tmp_path, "intel-rapl:0", "package-0", 90.0), domain(
        tmp_path, "intel-rapl:0:1", "dram", 5.0
    )


def test_without_a_counter_nothing_is_claimed():
    with counted(replace(HERE, power_counter=None)) as reading:
        pass
    assert reading.values == {}


def test_rapl_is_read_over_its_turn_and_no_part_twice(powercap):
    package, dram = powercap
    with counted(replace(HERE, power_counter="RAPL", accelerators=())) as reading:
        count(package, 10.0)
        count(dram, 6.5)
    assert reading.values == {"counter.RAPL": pytest.approx(20.0 + 1.5)}


def test_a_long_phase_is_read_before_the_counter_turns_twice(powercap, monkeypatch):
    monkeypatch.setattr(energy, "POLL_SECONDS", 0.02)
    package, _ = powercap
    counter = energy._rapl(energy.POWERCAP)[0]
    counter.start()
    for joules in (50.0, 20.0, 95.0):
        count(package, joules)
        while counter._last[package] != joules * 1e6:
            time.sleep(0.01)
    assert counter.stop() == pytest.approx(60.0 + 70.0 + 75.0)


def test_a_phase_that_is_too_short_counts_nothing_and_says_so(powercap, monkeypatch):
    monkeypatch.setattr(energy.Rapl, "least_seconds", 60.0)
    with counted(replace(HERE, power_counter="RAPL", accelerators=())) as reading:
        count(powercap[0], 91.0)
    assert reading.values == {"counter.RAPL": 0.0}


def test_nvml_reads_the_gpu_that_computes(monkeypatch):
    millijoules = iter((1000, 2000, 9500))
    asked = []
    nvml = SimpleNamespace(
        NVMLError=OSError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: asked.append(index),
        nvmlDeviceGetTotalEnergyConsumption=lambda gpu: next(millijoules),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(energy, "find_spec", lambda name: name == "pynvml")
    monkeypatch.setattr(energy, "_rapl", lambda folder: [])
    monkeypatch.setattr(energy.Nvml, "least_seconds", 0.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with counted(GPU) as reading:
        pass
    assert asked == [2]
    assert reading.values == {"counter.NVML": 7.5}


def test_a_driver_that_is_not_there_counts_nothing(monkeypatch):
    pytest.importorskip("pynvml")
    monkeypatch.setattr(energy, "_rapl", lambda folder: [])
    monkeypatch.setattr(energy, "_codecarbon", lambda: [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-00000000")
    assert energy.open_counters(GPU) == []


def test_codecarbon_is_not_asked_where_it_would_guess(monkeypatch):
    sensors = pytest.importorskip("codecarbon.core.cpu")
    monkeypatch.setattr(sensors, "is_rapl_available", lambda: False)
    monkeypatch.setattr(energy, "_rapl", lambda folder: [])
    assert energy.open_counters(replace(HERE, power_counter="RAPL", accelerators=())) == []


def test_codecarbon_counts_the_joules_of_the_processor():
    pytest.importorskip("codecarbon")
    counter = energy.Codecarbon()
    counter.start()
    sum(range(200_000))
    assert 0 <= counter.stop() < 1000


def test_a_figure_says_whether_it_was_counted():
    values = {"train.time": 10.0, "train.labels": 5.0}
    counted = training_figures(values | {"counter.RAPL": 80.0}, HERE, Place(), Prices())
    assert counted["train.energy"].tier == "measured"
    assert counted["train.energy"].note.startswith("counter: RAPL 80J")
    modelled = training_figures(values, HERE, Place(), Prices())
    assert modelled["train.energy"].tier == "calibrated"
    assert modelled["train.energy"].note.startswith("modelled: ")
