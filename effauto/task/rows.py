"""Rows whose labels still are names: read from a table's cells, and checked there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from effauto.errors import DataError
from effauto.task.cells import LabelReader, read_list, read_text
from effauto.task.columns import Columns
from effauto.task.examples import Examples
from effauto.task.readers import Record, Table
from effauto.traits import TaskKind

Label = str | tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Inputs as in Examples, with the name of a label, or of one tag per token, for each."""

    kind: TaskKind
    inputs: tuple[tuple[str, ...], ...]
    labels: tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.inputs)

    def select(self, rows: Sequence[int]) -> Rows:
        """The rows of these numbers, in this order."""
        return Rows(
            self.kind,
            tuple(self.inputs[row] for row in rows),
            tuple(self.labels[row] for row in rows),
        )

    @cached_property
    def keys(self) -> list[str]:
        """One text a row, lower-cased and with white space folded: equal rows share it."""
        return [normalised(fields, self.kind) for fields in self.inputs]

    @cached_property
    def strata(self) -> list[str]:
        """One label a row; for tagging the most frequent tag."""
        return [label if isinstance(label, str) else most_common(label) for label in self.labels]

    @property
    def names(self) -> set[str]:
        """Every label, or tag, that occurs."""
        return {name for row in range(len(self)) for name in self.names_of(row)}

    def names_of(self, row: int) -> tuple[str, ...]:
        label = self.labels[row]
        return (label,) if isinstance(label, str) else label

    def encoded(self, classes: Sequence[str]) -> Examples:
        """The same rows, with each label as its index in ``classes``."""
        index = {name: number for number, name in enumerate(classes)}
        targets = tuple(
            index[label] if isinstance(label, str) else tuple(index[tag] for tag in label)
            for label in self.labels
        )
        return Examples(self.kind, self.inputs, targets)


def normalised(fields: Sequence[str], kind: TaskKind) -> str:
    """The text by which rows are compared; two texts of a pair stay apart."""
    texts = (" ".join(fields),) if kind == "token-classification" else fields
    return "\n".join(" ".join(text.lower().split()) for text in texts)


def most_common(names: Sequence[str]) -> str:
    """The most frequent name; of equally frequent ones the first in the alphabet."""
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))


def read_rows(table: Table, columns: Columns) -> Rows:
    """Take the cells that the columns name; DataError, with the row, for one that is unfit."""
    for role, column in columns.names.items():
        if column not in table.columns:
            raise DataError(f"{table.place} has no column {column!r} for the {role}")
    read = _read_tagged if columns.kind == "token-classification" else _read_labelled
    pairs = list(read(table, columns))
    return Rows(columns.kind, tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))


def _read_labelled(table: Table, columns: Columns) -> list[tuple[tuple[str, ...], Label]]:
    *texts, label = columns.names.values()
    labels = LabelReader(table.untyped)
    rows: list[tuple[tuple[str, ...], Label]] = []
    for number, record in table.rows:
        where = table.where(number)
        fields = tuple(read_text(record.get(text), f"{where}: the {text}") for text in texts)
        rows.append((fields, labels.read(record.get(label), where, label)))
    return rows


def _read_tagged(table: Table, columns: Columns) -> list[tuple[tuple[str, ...], Label]]:
    labels = LabelReader(untyped=False)
    return [_tagged(record, columns, labels, table.where(number)) for number, record in table.rows]


def _tagged(
    record: Record, columns: Columns, labels: LabelReader, where: str
) -> tuple[tuple[str, ...], Label]:
    words, marks = columns.names["tokens"], columns.names["tags"]
    cells = read_list(record.get(words), f"{where}: the {words}", (str,))
    tags = read_list(record.get(marks), f"{where}: the {marks}", (str, int))
    if len(cells) != len(tags):
        raise DataError(f"{where}: {len(cells)} tokens but {len(tags)} tags; each token needs one")
    tokens = tuple(read_text(cell, f"{where}: a token") for cell in cells)
    return tokens, tuple(labels.read(tag, where, marks) for tag in tags)
