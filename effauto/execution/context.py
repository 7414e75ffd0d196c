"""What the verbs of a method may use while a recipe is carried out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.errors import TrialError
from effauto.execution.encoding import Arrays, Encoding, Pieces, read_tokenizer
from effauto.execution.meter import Meter
from effauto.model.source import ModelSource
from effauto.traits import FROM_SCRATCH, ModelTraits, TaskTraits

if TYPE_CHECKING:
    from effauto.model.transformer import TaskModel
    from effauto.task.examples import Examples


@dataclass
class Context:
    """One trial's surroundings.

    ``folder`` takes files that belong to the artefact; ``cache`` holds what recipes share. What a
    verb computes with a model it should wrap in :meth:`counting`, so that the work is metered; a
    second model's steps are told from the first's by a copy with another ``subject``. Trainings of
    like ``trained_provenance`` are shared; without one they are not. ``requests`` are inputs such
    as will be asked: the training rows before any were chosen. ``labels_read`` is raised by a
    method that reads more labels than those of the rows it keeps.
    """

    task: TaskTraits
    source: ModelSource
    classes: tuple[str, ...]
    seed: int
    threads: int
    device: str
    folder: Path
    cache: Path
    meter: Meter
    provenance: str
    data_provenance: str
    examples: Examples
    progress: Callable[[str, float], None] = lambda what, share: None
    requests: Sequence[tuple[str, ...]] = ()
    subject: str = ""
    trained_provenance: str = ""
    labels_read: int = 0
    _encodings: dict[tuple[object, ...], Encoding] = field(default_factory=dict)

    @property
    def model(self) -> ModelTraits:
        return self.source.traits

    def untouched(self) -> TaskModel:
        """A fresh copy of the pretrained model with a new head, as if the recipe were empty.

        One that is trained from scratch has random numbers.
        """
        import torch

        from effauto.model.fresh import untrained
        from effauto.model.transformer import load_pretrained

        torch.manual_seed(self.seed)
        start = untrained if FROM_SCRATCH in self.model.facts else load_pretrained
        model = start(self.source.files, self.task.kind, len(self.classes))
        return model.to(self.device)

    def narrower(self, width: int) -> TaskModel:
        """An untrained model like the one to be trained from scratch, of another width."""
        from effauto.model.fresh import untrained

        model = untrained(self.source.files, self.task.kind, len(self.classes), width)
        return model.to(self.device)

    def encoding(self, model: TaskModel) -> Encoding:
        """The tokenizer as ``model`` reads; also used by :meth:`pad` from now on."""
        key = (id(model.tokenizer), model.pairing, *model.input_names)
        if key not in self._encodings:
            tokenizer = model.tokenizer or read_tokenizer(self.source.files)
            self._encodings[key] = Encoding(
                tokenizer, self.task.kind, model.pairing, model.input_names
            )
        self._current = self._encodings[key]
        return self._current

    def pad(self, rows: Sequence[Pieces], length: int | None = None) -> Arrays:
        return self._current.collate(rows, length)

    @property
    def mask(self) -> int:
        """The number of the piece that stands for hidden ones, in the encoding last asked for."""
        number = self._current.mask
        if number is None:
            raise TrialError(f"the tokenizer of {self.source.name} cannot hide a piece")
        return number

    def report(self, what: str, share: float) -> None:
        """Tell the user how far a long step is, from 0 to 1."""
        self.progress(what, share)

    @contextmanager
    def counting(self, kind: str, tokens: int) -> Iterator[None]:
        """Meter the operations of a step on ``tokens`` word pieces; ``kind`` groups like steps."""
        with self.meter.flops.step(f"{self.subject}{kind}", tokens):
            yield

    def remember(
        self, what: str, make: Callable[[], dict[str, Any]], *, built: bool = True
    ) -> dict[str, Any]:
        """Arrays that depend only on the data and the model as built so far, or the data alone.

        Made at most once for all recipes that prepare (and, if ``built``, build) alike; who finds
        them made is still charged the time and operations that making them cost.
        """
        from effauto.execution.cache import remember

        provenance = self.provenance if built else self.data_provenance
        digest = hashlib.sha256(f"{what}/{provenance}".encode()).hexdigest()[:24]
        return remember(self.cache / f"{what}-{digest}", make, self.meter)


def provenance_of(**parts: Any) -> str:
    """A digest of everything that decides what a model is before it is trained."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
