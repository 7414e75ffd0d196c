"""Labelled examples: what data methods select and order, and models train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from effauto.traits import TaskKind

Target = int | tuple[int, ...]


@dataclass(frozen=True)
class Examples:
    """Inputs and targets, row by row; never changed, only selected from.

    ``inputs[i]`` is ``(text,)``, ``(text_a, text_b)``, or the tokens of a sentence for tagging.
    ``targets[i]`` is the index of a class, or one index per token.
    """

    kind: TaskKind
    inputs: tuple[tuple[str, ...], ...]
    targets: tuple[Target, ...]

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.inputs)

    def select(self, rows: Sequence[int]) -> Examples:
        """The rows of these numbers, in this order."""
        return replace(
            self,
            inputs=tuple(self.inputs[row] for row in rows),
            targets=tuple(self.targets[row] for row in rows),
        )

    @property
    def texts(self) -> list[str]:
        """One string a row: the text, both texts of a pair, or the tokens joined by blanks."""
        return [" ".join(fields) for fields in self.inputs]

    @property
    def labels(self) -> list[int]:
        """One class a row; for tagging the most frequent tag of the row (for stratifying)."""
        return [t if isinstance(t, int) else max(set(t), key=t.count) for t in self.targets]
