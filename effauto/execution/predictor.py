"""A predictor answers requests: words in, labels out, on whichever runtime holds the model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from effauto.execution.encoding import Arrays, Encoding, Pieces
from effauto.execution.inputs import rows_of
from effauto.traits import HIDDEN, LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING, PLAIN_TEXT, TaskKind

if TYPE_CHECKING:
    from effauto.model.transformer import TaskModel

Logits = NDArray[np.float32]


class Surprise(NamedTuple):
    """What a row takes a language model: nats, for so many bytes of text in so many pieces."""

    nats: float
    bytes: int
    pieces: int


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
        piece that a language model thinks most likely to follow each text; that a masked one thinks
        most likely in the place of its first ``<mask>``, or of its last piece if there is none.

        Raises InputError for an input of another kind.
        """
        found = self.predict_indices(rows_of(inputs, self.kind), batch_size)
        if self.kind in PLAIN_TEXT:
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

    def surprise(self, rows: Sequence[tuple[str, ...]], batch_size: int = 32) -> list[Surprise]:
        """How much each row surprises a language model, piece after piece.

        Of a row that a masked one reads some pieces are hidden, always the same.
        """
        encoded = self.encoding.encode(rows, self.max_tokens)
        found: list[Surprise] = []
        for start in range(0, len(rows), batch_size):
            batch = encoded[start : start + batch_size]
            asked = [self._asked(row) for row in batch]
            shown = [self._shown(row, places) for row, places in zip(batch, asked, strict=True)]
            logits = self.runtime.run(self.encoding.collate(shown))
            found += map(self._surprise, batch, asked, logits)
        return found

    def _asked(self, row: Pieces) -> list[int]:
        """The places of the pieces that are to be foretold."""
        places = range(1, len(row.sides[0]))
        if self.kind != MASKED_LANGUAGE_MODELING or not places:
            return list(places)
        chance = random.Random(repr(row.sides[0]))
        return sorted(chance.sample(places, max(1, round(HIDDEN * len(places)))))

    def _shown(self, row: Pieces, asked: Sequence[int]) -> Pieces:
        if self.kind != MASKED_LANGUAGE_MODELING:
            return row
        hidden, mask = set(asked), self.encoding.mask
        pieces = (mask if n in hidden else piece for n, piece in enumerate(row.sides[0]))
        return replace(row, sides=(tuple(pieces),))  # type: ignore[arg-type]

    def _surprise(self, row: Pieces, asked: Sequence[int], logits: Logits) -> Surprise:
        """A language model foretells a piece at the place before, a masked one at its own."""
        before = 0 if self.kind == MASKED_LANGUAGE_MODELING else 1
        pieces = [row.sides[0][place] for place in asked]
        nats = _nats(pieces, logits[[place - before for place in asked]])
        return Surprise(nats, sum(len(self.classes[piece]) for piece in pieces), len(pieces))

    def _answer(self, pieces: Pieces, choice: NDArray[np.intp]) -> int | tuple[int, ...]:
        if self.kind == LANGUAGE_MODELING:
            return int(choice[pieces.length - 1])
        if self.kind == MASKED_LANGUAGE_MODELING:
            numbers, mask = pieces.sides[0], self.encoding.mask
            return int(choice[numbers.index(mask) if mask in numbers else len(numbers) - 1])
        if self.kind != "token-classification":
            return int(choice)
        last = max(pieces.words, default=0)  # stands in for the words that max_tokens cut off
        return tuple(int(choice[place if place >= 0 else last]) for place in pieces.words)

    def save(self, folder: Path) -> None:
        self.encoding.tokenizer.no_truncation()
        self.encoding.tokenizer.save(str(folder / "tokenizer.json"))
        self.runtime.save(folder)


def _nats(pieces: Sequence[int], logits: Logits) -> float:
    """What these pieces take, each by its own row of logits."""
    known = logits.astype(np.float64)
    largest = known.max(axis=-1, keepdims=True, initial=-np.inf)
    total = largest[:, 0] + np.log(np.exp(known - largest).sum(axis=-1))
    return float((total - known[np.arange(len(known)), list(pieces)]).sum())
