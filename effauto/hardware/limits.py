"""How much of the machine this process may use: cores and memory, containers considered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")
# cgroup v1 writes "no limit" as the largest number of whole pages.
_UNLIMITED = 2**60


def usable_cores() -> int:
    """Cores that affinity and the quotas of control groups leave to this process."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = core_quota(CGROUPS, _own_group())
    return max(1, cores if quota is None else min(cores, int(quota)))


def usable_memory() -> int:
    """Bytes of memory: what is built in, or what the control groups allow, if that is less."""
    import psutil

    built_in = int(psutil.virtual_memory().total)
    limit = memory_limit(CGROUPS, _own_group())
    return built_in if limit is None else min(built_in, limit)


def core_quota(root: Path, group: str) -> float | None:
    """The least CPU quota, in cores, of ``group`` and the groups around it."""
    quotas = []
    for folder in _around(root, group):
        quotas.append(_ratio(_words(folder / "cpu.max")))
    for folder in _around(root / "cpu", group):
        quota = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
        quotas.append(_ratio(quota))
    return min((quota for quota in quotas if quota), default=None)


def memory_limit(root: Path, group: str) -> int | None:
    """The least memory limit, in bytes, of ``group`` and the groups around it."""
    files = [folder / "memory.max" for folder in _around(root, group)]
    files += [folder / "memory.limit_in_bytes" for folder in _around(root / "memory", group)]
    limits = [int(word) for file in files for word in _words(file) if word.isdigit()]
    return min((limit for limit in limits if 0 < limit < _UNLIMITED), default=None)


def _around(root: Path, group: str) -> Iterator[Path]:
    folder = root / group.strip("/")
    yield folder
    while folder != root and root in folder.parents:
        folder = folder.parent
        yield folder


def _own_group() -> str:
    """This process's group below the root; containers see themselves as the root."""
    for line in _lines(OWN_CGROUP):
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" or "memory" in controllers.split(","):
            return path
    return "/"


def _ratio(words: list[str]) -> float | None:
    if len(words) < 2 or not (words[0].isdigit() and words[1].isdigit()) or words[1] == "0":
        return None
    return int(words[0]) / int(words[1])


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
