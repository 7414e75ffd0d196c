"""From what the user names to a Task: the demo, a file, a folder, or a data set of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from effauto.errors import DataError
from effauto.task.columns import find_columns
from effauto.task.corpus import load_corpus
from effauto.task.demo import demo_rows
from effauto.task.fingerprint import fingerprint
from effauto.task.learnable import check_cap, check_given, check_splits
from effauto.task.rows import read_rows
from effauto.task.sources import find_tables
from effauto.task.splits import Splits, capped, make_missing, separate
from effauto.task.task import COMPRESSION, METRICS, Task
from effauto.task.traits import CountTokens, measure
from effauto.traits import PLAIN_TEXT, TaskKind

DEMO = "demo"


@dataclass(frozen=True)
class _Given:
    """What the source holds: its splits as they were found, and notes on them."""

    name: str
    place: str
    splits: Splits
    notes: list[str]


def load_task(
    source: str | Path | None = None,
    *,
    kind: TaskKind | None = None,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    seed: int = 0,
    max_rows: int | None = None,
    count_tokens: CountTokens | None = None,
) -> Task:
    """Load a task and see to it that it can be learnt and judged.

    ``source`` is None or ``"demo"``, a file, a folder of ``train``, ``validation`` and ``test``
    files, or the name of a Hugging Face data set. ``columns`` maps roles (``text``, ``label``,
    ``text_a``, ``text_b``, ``tokens``, ``tags``) to column names. ``max_rows`` caps train, and
    validation with it, but never test. ``count_tokens`` yields the word pieces of each input;
    without it they are guessed. Raises DataError for anything that cannot be used.
    """
    if kind in PLAIN_TEXT:
        return _corpus(source, kind, columns, metric, seed, max_rows)
    metric = metric or METRICS[0]
    if metric not in METRICS:
        raise DataError(f"{metric!r} is no metric; known: {', '.join(METRICS)}")
    given = _given(source, kind, columns)
    check_given(given.splits["train"], given.place)
    splits, leaks = separate(given.splits)
    splits, made = make_missing(splits, seed)
    check_splits(splits, given.place)
    classes = tuple(sorted(splits["train"].names))
    caps: list[str] = []
    if max_rows is not None:
        check_cap(max_rows, len(classes))
        splits, caps = capped(splits, max_rows, seed)
    examples = {name: rows.encoded(classes) for name, rows in splits.items()}
    task_kind = splits["train"].kind
    return Task(
        name=given.name,
        kind=task_kind,
        metric=metric,
        classes=classes,
        train=examples["train"],
        validation=examples["validation"],
        test=examples["test"],
        fingerprint=fingerprint(task_kind, metric, classes, examples),
        traits=measure(examples["train"], len(classes), metric, seed, count_tokens),
        notes=(*given.notes, *leaks, *made, *caps),
    )


def _corpus(
    source: str | Path | None,
    kind: TaskKind,
    columns: Mapping[str, str] | None,
    metric: str | None,
    seed: int,
    max_rows: int | None,
) -> Task:
    if source is None or source == DEMO:
        raise DataError(f"{kind} needs text: name a file or a folder of it")
    if metric not in (None, COMPRESSION):
        raise DataError(f"{metric!r} is no metric of language models: that is {COMPRESSION}")
    return load_corpus(source, (columns or {}).get("text", "text"), seed, max_rows, kind)


def _given(
    source: str | Path | None, kind: TaskKind | None, columns: Mapping[str, str] | None
) -> _Given:
    if source is None or source == DEMO:
        if kind not in (None, "text-classification") or columns:
            raise DataError("the built-in demo is a text classification; it takes no columns")
        rows, notes = demo_rows()
        return _Given(DEMO, "the demo", {"train": rows}, notes)
    name, tables, notes = find_tables(source)
    chosen = find_columns(tables["train"].columns, tables["train"].place, kind, columns)
    splits = {split: read_rows(table, chosen) for split, table in tables.items()}
    return _Given(name, str(source), splits, notes)
