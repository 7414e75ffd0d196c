"""How long a phase of a training still takes, told by its first steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from effauto.execution.meter import COUNTED_STEPS
from effauto.quantities import show

Progress = Callable[[str, float], None]


class Pace:
    """Passes progress on, with the time left once enough steps have told how fast it goes.

    Shares are of the work to be done, so that steps may differ in size. The first steps are slower,
    since their operations are counted, and are left out.
    """

    def __init__(self, tell: Progress) -> None:
        self._tell = tell
        self._phase, self._share, self._steps = "", 0.0, 0
        self._start = (0.0, 0.0)

    def __call__(self, what: str, share: float) -> None:
        now = time.monotonic()
        if what != self._phase or share < self._share:
            self._phase, self._steps = what, 0
        self._share = share
        self._steps += 1
        if self._steps <= COUNTED_STEPS:
            self._start = now, share
        self._tell(self._with_time_left(what, now, share), share)

    def _with_time_left(self, what: str, now: float, share: float) -> str:
        since, done = now - self._start[0], share - self._start[1]
        if self._steps <= COUNTED_STEPS or done <= 0 or share >= 1:
            return what
        return f"{what}, {show(since / done * (1.0 - share), 's')} left"
