"""A task: data, what is predicted, and the metric."""

from __future__ import annotations

from dataclasses import dataclass

from effauto.task.examples import Examples
from effauto.traits import TaskKind, TaskTraits

METRICS = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class Task:
    """A loaded task. Targets index into ``classes``, which are sorted.

    ``metric`` is ``accuracy`` (of tokens, for tagging) or ``macro_f1``. ``fingerprint`` is a hash
    of the content, ``traits`` describe ``train``, and ``notes`` are sentences on what was done to
    the data: splits made, leaked rows dropped, rows left out. No search may see ``test``.
    """

    name: str
    kind: TaskKind
    metric: str
    classes: tuple[str, ...]
    train: Examples
    validation: Examples
    test: Examples
    fingerprint: str
    traits: TaskTraits
    notes: tuple[str, ...] = ()
