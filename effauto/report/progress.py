"""Progress on standard error while a plan is made or run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from effauto.listener import Listener
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.report.plan import describe
from effauto.resources import QUALITY


@contextmanager
def terminal_listener() -> Iterator[Listener]:
    """A listener that draws on stderr: a bar for the running trial, a line for each that ended."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield _Terminal(console, progress)


class _Terminal(Listener):
    """One bar; with several workers, one for each, which says what that worker does."""

    def __init__(self, console: Console, progress: Progress, worker: str = "") -> None:
        self._console = console
        self._progress = progress
        self._bar = progress.add_task(f"{worker}starting", total=1.0)
        self._worker = worker
        self._what = ""
        self._others: dict[int, _Terminal] = {}

    def of_worker(self, place: int, workers: int) -> Listener:
        if workers == 1:
            return self
        self._progress.update(self._bar, visible=False)
        if place not in self._others:
            self._others[place] = _Terminal(self._console, self._progress, f"[{place + 1}] ")
        return self._others[place]

    def note(self, sentence: str) -> None:
        self._line(sentence)

    def started(self, number: int, candidate: Candidate, fidelity: float, seconds: float) -> None:
        share = "" if fidelity >= 1 else f" on {fidelity:.0%} of the data"
        what = f"{self._worker}{number}. {describe(candidate.model, candidate.recipe)}{share}"
        self._what = what if len(what) <= 60 else f"{what[:57]}..."
        self._progress.update(self._bar, description=f"{self._what} (~{seconds:.0f} s)")

    def progress(self, what: str, share: float) -> None:
        text = f"{self._what}: {what}" if self._what else what
        self._progress.update(self._bar, completed=share, description=text)

    def ended(self, result: Result, best: Result | None, time_left: float) -> None:
        name, figure = next((n, f) for n, f in result.measured.items() if n.startswith(QUALITY))
        marked = " (best so far)" if best is result else ""
        metric = name.removeprefix(QUALITY)
        left = f"{max(0.0, time_left):.0f} s left"
        self._line(f"{self._what}: {metric} {figure.value:.3f}{marked}, {left}")

    def failed(self, candidate: Candidate, error: str) -> None:
        self._line(f"{self._what}: failed: {error}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
