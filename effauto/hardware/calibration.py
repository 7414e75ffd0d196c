"""Measure this machine's rates, in a process of its own since that imports torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date

from effauto.errors import HardwareError
from effauto.hardware import cache, detect
from effauto.machine import PATIENT_THREADS, Hardware, Rate

_PATIENCE = 120.0


def calibrate(threads: int | None = None) -> Hardware:
    """Measure for a second or two, keep the result for next time, and return the machine with it.

    Without ``threads`` the fastest number of threads is found and kept. Raises HardwareError if
    the measuring process fails.
    """
    hardware = detect.this_machine(calibrated_if_cached=False)
    if threads is not None and not 1 <= threads <= hardware.cores:
        raise HardwareError(f"this process may use 1 to {hardware.cores} threads, not {threads}")
    found = _measured(hardware.cores, threads)
    cache.write(hardware, found)
    return detect.calibrated(hardware, found)


def _measured(cores: int, threads: int | None) -> cache.Calibration:
    choices = [threads] if threads else sorted({1, max(1, cores // 2), cores})
    command = [sys.executable, "-m", "effauto.hardware.probe", *map(str, choices)]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment = os.environ | PATIENT_THREADS | path
    environment.pop("OMP_NUM_THREADS", None)
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, env=environment
        )
    except subprocess.TimeoutExpired:
        raise HardwareError(
            f"the calibration did not end within {_PATIENCE:.0f} s: the machine is too busy"
        ) from None
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HardwareError(f"the calibration failed ({reason}); is torch installed whole?")
    data = json.loads(answer.stdout.splitlines()[-1])
    return cache.Calibration(
        rates={name: Rate(**rate) for name, rate in data["rates"].items()},
        threads=data["threads"],
        torch=data["torch"],
        date=date.today().isoformat(),
        notes=data["notes"],
    )
