"""A predictor answers requests: words in, labels out, on whichever runtime holds the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from effauto.execution.encoding import Arrays, Encoding, Pieces
from effauto.execution.inputs import rows_of
from effauto.traits import LANGUAGE_MODELING, TaskKind

if TYPE_CHECKING:
    from effauto.model.transformer import TaskModel

Logits = NDArray[np.float32]


class Runtime(Protocol):
    """What computes logits and knows how to be saved; its method's ``reopen`` undoes the saving."""

    def run(self, arrays: Arrays) -> Logits:
        """(batch, classes), or (batch, tokens, classes), from arrays of (batch, tokens)."""
        ...

    def save(self, folder: Path) -> None:
        """Write into ``folder`` all that ``reopen`` needs."""
        ...


@dataclass
class TorchRuntime:
    """torch, eagerly: the default."""

    model: TaskModel

    def run(self, arrays: Arrays) -> Logits:
        import torch

        device = next(iter(self.model.state_dict().values())).device
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
            logits: Logits = self.model(**inputs).float().cpu().numpy()
        return logits

    def save(self, folder: Path) -> None:
        from effauto.execution.weights import write_tensors
        from effauto.model.transformer import portable_state, save_config

        save_config(self.model, folder)
        write_tensors(folder / "model.safetensors", portable_state(self.model))


@dataclass
class Predictor:
    """A saved or freshly trained model behind one verb, :meth:`predict`.

    ``model`` is there only while a recipe is carried out, for methods that change the runtime.
    """

    kind: TaskKind
    classes: tuple[str, ...]
    encoding: Encoding
    max_tokens: int
    runtime: Runtime
    model: TaskModel | None = None

    def predict(
        self, inputs: Sequence[str | Sequence[str]], batch_size: int = 32
    ) -> list[str] | list[list[str]]:
        """The label of each text or (text_a, text_b) pair, the tags of each list of tokens, or the
        piece that a language model thinks most likely to follow each text.

        Raises InputError for an input of another kind.
        """
        found = self.predict_indices(rows_of(inputs, self.kind), batch_size)
        if self.kind == LANGUAGE_MODELING:
            return [self.encoding.tokenizer.decode([index]) for index in found]
        if self.kind == "token-classification":
            return [[self.classes[tag] for tag in tags] for tags in found]  # type: ignore[union-attr]
        return [self.classes[index] for index in found]  # type: ignore[index]

    def predict_indices(
        self, rows: Sequence[tuple[str, ...]], batch_size: int = 32
    ) -> list[int | tuple[int, ...]]:
        """Like :meth:`predict`, as indices into ``classes``. Rows of like length share a batch."""
        encoded = self.encoding.encode(rows, self.max_tokens)
        by_length = sorted(range(len(rows)), key=lambda row: encoded[row].length)
        found: dict[int, int | tuple[int, ...]] = {}
        for start in range(0, len(rows), batch_size):
            chosen = by_length[start : start + batch_size]
            batch = [encoded[row] for row in chosen]
            best = self.runtime.run(self.encoding.collate(batch)).argmax(axis=-1)
            for row, pieces, choice in zip(chosen, batch, best, strict=True):
                found[row] = self._answer(pieces, choice)
        return [found[row] for row in range(len(rows))]

    def surprise(self, rows: Sequence[tuple[str, ...]], batch_size: int = 32) -> list[float]:
        """How many nats each row takes a language model, piece after piece."""
        encoded = self.encoding.encode(rows, self.max_tokens)
        found: list[float] = []
        for start in range(0, len(rows), batch_size):
            batch = encoded[start : start + batch_size]
            logits = self.runtime.run(self.encoding.collate(batch))
            found += [_nats(row.sides[0], at) for row, at in zip(batch, logits, strict=True)]
        return found

    def _answer(self, pieces: Pieces, choice: NDArray[np.intp]) -> int | tuple[int, ...]:
        if self.kind == LANGUAGE_MODELING:
            return int(choice[pieces.length - 1])
        if self.kind != "token-classification":
            return int(choice)
        last = max(pieces.words, default=0)  # stands in for the words that max_tokens cut off
        return tuple(int(choice[place if place >= 0 else last]) for place in pieces.words)

    def save(self, folder: Path) -> None:
        self.encoding.tokenizer.no_truncation()
        self.encoding.tokenizer.save(str(folder / "tokenizer.json"))
        self.runtime.save(folder)


def _nats(numbers: Sequence[int], logits: Logits) -> float:
    """What the pieces after the first take, the logits of each place foretelling the next."""
    known = logits[: len(numbers) - 1].astype(np.float64)
    largest = known.max(axis=-1, keepdims=True)
    total = largest[:, 0] + np.log(np.exp(known - largest).sum(axis=-1))
    return float((total - known[np.arange(len(known)), list(numbers[1:])]).sum())
