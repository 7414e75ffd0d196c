"""NVIDIA GPUs, found without importing torch: their driver's own tool is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from effauto.machine import Accelerator

_QUERY = "name,memory.total,compute_cap,power.limit"


@dataclass(frozen=True)
class Graphics:
    """A GPU and the power, in watts, that it may draw (0 if the driver does not tell)."""

    accelerator: Accelerator
    watts: float


def find_graphics() -> tuple[Graphics, ...]:
    """The GPUs that ``nvidia-smi`` lists and torch may use, the first first.

    None if it is absent, hangs or fails, if ``CUDA_VISIBLE_DEVICES`` hides them, or if torch was
    built for processors alone.
    """
    tool, visible = shutil.which("nvidia-smi"), os.environ.get("CUDA_VISIBLE_DEVICES")
    if tool is None or visible in ("", "-1") or _built_for_processors():
        return ()
    command = [tool, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    if visible is not None and not visible.startswith("MIG-"):  # it knows no slices by name
        command.append(f"--id={visible}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_graphics(answer.stdout) if answer.returncode == 0 else ()


def _built_for_processors() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def parse_graphics(text: str) -> tuple[Graphics, ...]:
    """Read lines of name, MiB, compute capability, watts; lines of another form are no GPU."""
    found = []
    for line in text.splitlines():
        fields = [field.strip() for field in line.rsplit(",", 3)]
        if len(fields) < 4 or not fields[1].isdigit():
            continue
        major, _, minor = fields[2].partition(".")
        capability = (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
        gpu = Accelerator(fields[0], int(fields[1]) * 2**20, capability)
        found.append(Graphics(gpu, _watts(fields[3])))
    return tuple(found)


def _watts(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
