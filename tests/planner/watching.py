"""Who is told what the workers of a search begin and end."""

from __future__ import annotations

from effauto.listener import Listener


class Watcher(Listener):
    """Notes what each worker began and ended."""

    def __init__(self, place=0, told=None):
        self.place, self.told = place, [] if told is None else told

    def of_worker(self, place, workers):
        return Watcher(place, self.told)

    def started(self, number, candidate, fidelity, seconds):
        self.told.append(("began", self.place, number))

    def ended(self, result, best, time_left):
        self.told.append(("ended", self.place, result.trial))


def most_at_once(told):
    busy = [0]
    for what, _, _ in told:
        busy.append(busy[-1] + (1 if what == "began" else -1))
    return max(busy)
