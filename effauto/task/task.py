"""A task: data, what is predicted, and the metric."""

from __future__ import annotations

from dataclasses import dataclass

from effauto.task.examples import Examples
from effauto.traits import TaskKind, TaskTraits

METRICS = ("accuracy", "macro_f1")
# Of a language model: 1 - bits a byte / 8, the share of the text's bits that it would save.
COMPRESSION = "compression"


@dataclass(frozen=True)
class Task:
    """A loaded task. Targets index into ``classes``, which are sorted.

    ``metric`` is ``accuracy`` (of tokens, for tagging) or ``macro_f1``; of text that a language
    model is to learn it is ``compression``, the classes are the pieces of its ``tokenizer``, as
    JSON, and all targets are 0: each row is its own. ``fingerprint`` is a hash
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
    tokenizer: str = ""
