"""What is wanted first, and how far from the best of it is as good: ``quality:1%,model.size``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from effauto.errors import InputError
from effauto.resources import QUALITY, SHARES, resource_named

# Stands for the metric of the task, whichever that is.
ANY_QUALITY = "quality"
_FORM = "write NAME or NAME:TOLERANCE%, joined by commas, as in quality:1%,inference.latency"
_GOAL = re.compile(r"\s*([a-z]+(?:[._][a-z0-9_]+)*)\s*(?::\s*(\d{1,2}(?:\.\d{0,9})?)\s*%\s*)?")


@dataclass(frozen=True)
class Goal:
    """A resource, and how far from the best of it counts as the best.

    ``tolerance`` is in points of a share (0.01 is one), and else a share of the best figure. None
    is what noise can explain of a share, and nothing of other resources.
    """

    resource: str
    tolerance: float | None = None

    @property
    def in_points(self) -> bool:
        return self.resource == ANY_QUALITY or self.resource.startswith(SHARES)

    @property
    def higher_is_better(self) -> bool:
        return self.in_points or resource_named(self.resource).higher_is_better

    def named(self, metric: str) -> str:
        """The resource, with the task's metric where any quality is meant."""
        return QUALITY + metric if self.resource == ANY_QUALITY else self.resource

    @property
    def phrase(self) -> str:
        """The goal in words."""
        if self.tolerance is None:
            return self.resource
        percent = f"{self.tolerance * 100:g}"
        within = f"{percent} point{'s' * (percent != '1')}" if self.in_points else f"{percent} %"
        return f"{self.resource} within {within} of the best"

    def __str__(self) -> str:
        return self.resource + ("" if self.tolerance is None else f":{self.tolerance * 100:g}%")


@dataclass(frozen=True)
class Preference:
    """Goals in the order they matter: each chooses among what the goals before it left.

    What is left in the end is decided by quality, if no goal did so, and by the sum of costs.
    """

    goals: tuple[Goal, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.goals))

    @property
    def sentence(self) -> str:
        return f"Preferred: {', then '.join(goal.phrase for goal in self.complete)}."

    @property
    def complete(self) -> tuple[Goal, ...]:
        """The goals, and quality as the last of them if it is none of them."""
        has_quality = any(g.resource.startswith((ANY_QUALITY, QUALITY)) for g in self.goals)
        return self.goals if has_quality else (*self.goals, Goal(ANY_QUALITY))


def parse_preference(text: str) -> Preference:
    """Read ``quality:1%,inference.latency``; raise InputError, with the mend, for anything else."""
    goals = tuple(map(_goal, text.split(",")))
    names = [goal.resource for goal in goals]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--prefer {text!r:.80}: {name} can be preferred only once")
    return Preference(goals)


def _goal(text: str) -> Goal:
    match = _GOAL.fullmatch(text)
    if not match:
        raise InputError(f"{text!r:.60} is no preference; {_FORM}")
    name, percent = match.groups()
    if name != ANY_QUALITY:
        name = resource_named(name).name
    if name.startswith("search."):
        raise InputError(f"{name} is the same for every plan, so none can be preferred for it")
    return Goal(name, None if percent is None else float(percent) / 100)
