"""The clock that a search is kept by."""

from __future__ import annotations

import time


class Clock:
    """Wall seconds since its making, and ``before``, what earlier runs of the same study took."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.before = 0.0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self._start

    @property
    def left(self) -> float:
        return self.limit - self.seconds
