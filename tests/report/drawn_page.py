"""A plan that was drawn once, for all tests of its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from effauto.planner.answers.plan import Plan

NAME = "<script>document.title = 'owned'<"


@dataclass(frozen=True)
class Drawn:
    """A plan, the file it is in, its results database, and its page."""

    plan: Plan
    file: Path
    db: str
    page: Path
