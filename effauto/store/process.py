"""Whether the process that began some work still lives."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

# A clock that was set shifts the start times that the system reports, but not by much.
_SAME_START = 5.0
# Of another host's process only its signs of life are seen.
_SILENT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Process:
    """A process, told apart from later ones with its number by when it started (UNIX time)."""

    process_id: int
    process_started: float
    host: str

    def alive(self, heartbeat_at: datetime) -> bool:
        """Whether it still runs; one on another host is believed dead after a day's silence."""
        if self.host != platform.node():
            return datetime.now(UTC) - heartbeat_at < _SILENT_FOR
        import psutil

        try:
            process = psutil.Process(self.process_id)
            same = abs(process.create_time() - self.process_started) < _SAME_START
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def this_process() -> Process:
    """The process that calls."""
    return _process(os.getpid())


@cache
def _process(number: int) -> Process:
    import psutil

    return Process(number, psutil.Process(number).create_time(), platform.node())
