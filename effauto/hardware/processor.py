"""Which processor this is, what instructions it has, and how fast its clock is said to be."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# Instruction sets that numerical work is written for; the hundred others would only hide them.
_TELLING = re.compile(r"(avx|amx|fma|f16c|sse4|asimd|sve|bf16|i8mm|neon|svebf16)")
_APPLE = {"FEAT_DotProd": "asimddp", "FEAT_BF16": "bf16", "FEAT_I8MM": "i8mm"}
_USUAL_HERTZ = 2.5e9


@dataclass(frozen=True)
class Processor:
    """``flags`` are instruction sets as Linux spells them; ``hertz`` is the clock of one core."""

    name: str
    flags: frozenset[str]
    hertz: float


def find_processor() -> Processor:
    """Ask the operating system; what it does not tell is left out or usual."""
    if sys.platform.startswith("linux"):
        name, flags = parse_cpuinfo(_read(CPUINFO))
    elif sys.platform == "darwin":
        name, flags = _apple()
    else:
        name, flags = "", frozenset()
    return Processor(name or platform.processor() or platform.machine(), flags, _hertz())


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Name and telling flags from the form of ``/proc/cpuinfo``, on x86 or on ARM."""
    name = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    found = flags[1].split() if flags else []
    return (name[1].strip() if name else ""), frozenset(filter(_TELLING.match, found))


def _apple() -> tuple[str, frozenset[str]]:
    name = _output("sysctl", "-n", "machdep.cpu.brand_string").strip()
    if platform.machine() == "arm64":
        stated = _output("sysctl", "hw.optional.arm")
        flags = {ours for theirs, ours in _APPLE.items() if f"{theirs}: 1" in stated}
        return name, frozenset(flags | {"asimd"})
    words = _output("sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features")
    return name, frozenset(filter(_TELLING.match, words.lower().replace(".", "_").split()))


def _hertz() -> float:
    import psutil

    try:
        clock = psutil.cpu_freq()
    except (OSError, RuntimeError, NotImplementedError, AttributeError):
        clock = None
    megahertz = max(clock.max, clock.current) if clock else 0.0
    return megahertz * 1e6 if megahertz > 100 else _USUAL_HERTZ


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
