"""MLflow: searches and runs as experiments of its tracking server. README.md says how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from effauto import Listener, hookimpl

if TYPE_CHECKING:
    from .tracking import Tracker


class Mlflow(Listener):
    """Notes trials, plans and runs; without a server, in files where MLflow keeps its own."""

    name = "mlflow"
    packages = {"mlflow": "mlflow"}

    def __init__(self) -> None:
        self._made: Tracker | None = None

    def started(self, number: int, candidate: Any, fidelity: float, seconds: float) -> None:
        self._tracker.begin()

    def ended(self, result: Any, best: Any, time_left: float) -> None:
        self._tracker.tried(result)

    def failed(self, candidate: Any, error: str) -> None:
        self._tracker.failed(candidate, error)

    def planned(self, plan: Any) -> None:
        self._tracker.planned(plan)

    def carried_out(self, outcome: Any) -> None:
        self._tracker.carried_out(outcome)

    @property
    def _tracker(self) -> Tracker:
        if self._made is None:
            from .tracking import Tracker

            self._made = Tracker()
        return self._made


@hookimpl
def register_listeners() -> Iterator[Listener]:
    yield Mlflow()
