"""Cases for ``composition.py``: small models, four tasks, and every small set of methods."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from effauto.composition import Composition, compose, unusable
from effauto.execution.job import TRAIN, Job
from effauto.hardware import this_machine
from effauto.knobs import Choice, Int, Knob, Value
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model import find_model
from effauto.model.scratch import Size, write_untrained
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task import load_task, write_split
from effauto.task.examples import Examples
from effauto.task.task import COMPRESSION
from effauto.task.vocabulary import learn_tokenizer, pieces_of
from effauto.traits import MASKED_LANGUAGE_MODELING, PLAIN_TEXT, TaskKind, TaskTraits

KINDS: tuple[TaskKind, ...] = (
    "text-classification",
    "pair-classification",
    "token-classification",
    *PLAIN_TEXT,
)
# Three layers: fewer leave none to exit between.
LAYERS, TRAIN_ROWS, VALIDATION_ROWS, WORDS, CLASSES = 3, 64, 32, 12, 4
WIDTH = 96
# The models that are trained from scratch, on text.
UNTRAINED, POSITIONS = Size(64, 2), 64
# Rows that the tasks are said to have, so that none is refused as too small for a method.
SAID_ROWS = 2000
# Word pieces beside those of the tasks' texts: a table that is mostly unused, as real ones are.
UNUSED_PIECES = 1500
SECONDS = 300.0


@dataclass(frozen=True)
class Case:
    """A recipe on the first kind of task for which it is legal, or on texts if it is for none."""

    names: tuple[str, ...]
    kind: TaskKind
    refused: str = ""
    rule: str = ""
    # Of a method alone, knobs that are not at their defaults: (name, value).
    setting: tuple[tuple[str, Value], ...] = ()

    @property
    def key(self) -> str:
        setting = ",".join(f"{name}={value}" for name, value in self.setting)
        return f"{self.kind}:{'+'.join(self.names)}{setting}{'!' if self.refused else ''}"


@dataclass(frozen=True)
class Bench:
    """The model, the tasks and the methods that the combinations are made of."""

    folder: Path
    methods: Mapping[str, Method]
    hardware: Hardware

    @classmethod
    def at(cls, folder: Path, model: str) -> Bench:
        """The bench in ``folder``; what is not there is made, its model a copy of ``model``."""
        for kind, examples in _tasks().items() if not (folder / "model").exists() else ():
            data = folder / kind
            data.mkdir(parents=True, exist_ok=True)
            classes = _classes(kind)
            write_split(examples.select(range(TRAIN_ROWS)), classes, data / "train.jsonl")
            rest = range(TRAIN_ROWS, TRAIN_ROWS + VALIDATION_ROWS)
            write_split(examples.select(rest), classes, data / "validation.jsonl")
        for kind in PLAIN_TEXT:
            write_untrained(folder / f"untrained-{kind}", UNTRAINED, _tokenizer(kind), POSITIONS)
        if not (folder / "model").exists():
            _write_model(find_model(model).files, folder)
        hardware = replace(this_machine(), threads=1)
        return cls(folder, load_plugins().methods(), hardware)

    def model(self, kind: TaskKind) -> str:
        """The folder of the model for this kind of task."""
        return str(self.folder / (f"untrained-{kind}" if kind in PLAIN_TEXT else "model"))

    @cached_property
    def _traits(self) -> Mapping[TaskKind, Any]:
        return {kind: find_model(self.model(kind)).traits for kind in KINDS}

    def usable(self) -> list[str]:
        """Methods that this machine and these tasks let run at all."""
        return sorted(
            name
            for name, method in self.methods.items()
            if any(not unusable(method, traits(k), self._traits[k], self.hardware) for k in KINDS)
        )

    def singles(self) -> list[Case]:
        return [self.case((name,)) for name in self.usable()]

    def at_each_others_settings(self, pair: Case) -> list[Case]:
        """Each method of a pair alone, with the other's values of the knobs that both have."""
        found = []
        for name, other in (pair.names, pair.names[::-1]):
            mine, theirs = self.methods[name].knobs, self.methods[other].knobs
            shared = [(k, _nearest(mine[k], theirs[k].default)) for k in mine if k in theirs]
            chosen = tuple((k, v) for k, v in shared if v != mine[k].default)
            case = self.case((name,))
            if chosen and not case.refused and case.kind == pair.kind:
                found.append(replace(case, setting=chosen))
        return found

    def pairs(self) -> list[Case]:
        """Every pair, in an order that is the same wherever it is asked for, and no other order."""
        return [self.case(names) for names in _scattered(combinations(self.usable(), 2))]

    def triples(self) -> Iterator[Case]:
        """As :meth:`pairs`."""
        for names in _scattered(combinations(self.usable(), 3)):
            yield self.case(names)

    def case(self, names: tuple[str, ...]) -> Case:
        read: list[Composition] = []
        for kind in KINDS:
            recipe = Recipe.of(*names)
            read.append(
                compose(recipe, self.methods, traits(kind), self._traits[kind], self.hardware)
            )
            if read[-1].legal:
                return Case(names, kind)
        # The refusal to weigh is the one where each method alone has nothing against the task.
        refusals = min((c.refusals for c in read), key=lambda found: _alone(found))
        place = [c.refusals for c in read].index(refusals)
        return Case(names, KINDS[place], refusals[0].sentence, refusals[0].rule)

    def job(self, case: Case, scratch: Path) -> Job:
        return Job(
            action=TRAIN,
            data=self.folder / case.kind,
            model=self.model(case.kind),
            recipe=Recipe.from_settings(
                {name: dict(case.setting) if case.setting else {} for name in case.names}
            ),
            task=traits(case.kind),
            classes=_classes(case.kind),
            hardware=self.hardware,
            folder=scratch / "artefact",
            cache=scratch / "cache",
            time_limit=SECONDS,
            details={"requests": 5},
        )


def _nearest(knob: Knob, value: Any) -> Value:
    """What the knob can be set to that is nearest to ``value``."""
    if isinstance(knob, Choice):
        return value if value in knob.options else knob.default
    nearest = min(max(value, knob.low), knob.high)
    return round(nearest) if isinstance(knob, Int) else float(nearest)


def _alone(refusals: Iterable[Any]) -> int:
    return sum(refusal.rule in ("fits", "needs") for refusal in refusals)


def _scattered(sets: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(sets, key=lambda names: hashlib.sha256("+".join(names).encode()).digest())


def traits(kind: TaskKind) -> TaskTraits:
    if kind in PLAIN_TEXT:
        pieces = len(_classes(kind))
        return TaskTraits(kind, COMPRESSION, SAID_ROWS, pieces, 16.0, 24.0, 32.0, 0.1, 1.0)
    return TaskTraits(kind, "accuracy", SAID_ROWS, CLASSES, 16.0, 24.0, 32.0, 0.1, 0.3)


@cache
def _tokenizer(kind: TaskKind) -> str:
    """Of the text that is learnt from scratch."""
    rows = [row for (row,) in _tasks()[kind].inputs]
    return str(learn_tokenizer(rows, masked=kind == MASKED_LANGUAGE_MODELING).to_str())


def _classes(kind: TaskKind) -> tuple[str, ...]:
    if kind in PLAIN_TEXT:
        return pieces_of(Tokenizer.from_str(_tokenizer(kind)))
    return tuple(map(str, range(CLASSES)))


def _write_model(files: Path, folder: Path) -> None:
    """A corner of a model: of each of its matrices the first rows and columns, of its word table
    the rows that the tasks' texts use, of its layers the first."""
    from transformers import AutoConfig, AutoModel

    whole = AutoModel.from_pretrained(files, local_files_only=True)
    config = AutoConfig.from_pretrained(files, local_files_only=True)
    described = json.loads((files / "tokenizer.json").read_text(encoding="utf-8"))
    kept = _kept_pieces(files, folder, described) or list(range(config.vocab_size))
    words = whole.get_input_embeddings().weight
    words.data = words.data[kept]
    _renumber(described, kept)
    config.vocab_size = len(kept)
    _shrink(config)
    corner = AutoModel.from_config(config)
    state = whole.state_dict()
    corner.load_state_dict(
        {name: state[name][tuple(map(slice, t.shape))] for name, t in corner.state_dict().items()}
    )
    part = folder / "model.part"
    corner.save_pretrained(part)
    (part / "tokenizer.json").write_text(json.dumps(described), encoding="utf-8")
    part.rename(folder / "model")


def _shrink(config: Any) -> None:
    """Fewer heads of the same width, and fewer layers."""
    config.num_hidden_layers = min(LAYERS, config.num_hidden_layers)
    head = config.hidden_size // config.num_attention_heads
    share = min(1.0, WIDTH // head / config.num_attention_heads)
    config.num_attention_heads = round(share * config.num_attention_heads)
    config.hidden_size = head * config.num_attention_heads
    config.intermediate_size = round(share * config.intermediate_size)


def _kept_pieces(files: Path, folder: Path, described: Mapping[str, Any]) -> list[int]:
    """Old numbers, ascending; none if the tokenizer is not one of plain lists of words."""
    from effauto.execution.encoding import read_tokenizer

    if described["model"]["type"] != "WordPiece":
        return []
    texts = (file.read_text(encoding="utf-8") for file in folder.glob("*/*.jsonl"))
    used = {number for text in texts for number in read_tokenizer(files).encode(text).ids}
    vocabulary: dict[str, int] = described["model"]["vocab"]
    used |= {token["id"] for token in described["added_tokens"]}
    used |= {n for piece, n in vocabulary.items() if len(piece.removeprefix("##")) == 1}
    left = sorted(set(vocabulary.values()) - used)
    return sorted(used | set(left[-UNUSED_PIECES:]))


def _renumber(described: dict[str, Any], kept: Sequence[int]) -> None:
    if described["model"]["type"] != "WordPiece":
        return
    places = {old: new for new, old in enumerate(kept)}
    vocabulary = described["model"]["vocab"]
    described["model"]["vocab"] = {p: places[n] for p, n in vocabulary.items() if n in places}
    for token in described["added_tokens"]:
        token["id"] = places[token["id"]]
    described["padding"] = described["truncation"] = None
    for token in (described["post_processor"].get("special_tokens") or {}).values():
        token["ids"] = [places[number] for number in token["ids"]]
    for name in {"sep", "cls"} & described["post_processor"].keys():
        piece, number = described["post_processor"][name]
        described["post_processor"][name] = [piece, places[number]]


def _tasks() -> dict[TaskKind, Examples]:
    """Texts by library; pairs of texts, alike or not; words by their length; and plain text."""
    task = load_task(None)
    rows = TRAIN_ROWS + VALIDATION_ROWS
    draw = random.Random(0)
    kept = [row for row, label in enumerate(task.train.labels) if label < CLASSES]
    kept = draw.sample(kept, 2 * rows)
    texts = [" ".join(task.train.inputs[row][0].split()[:WORDS]) for row in kept]
    labels = [task.train.labels[row] for row in kept]
    firsts, seconds = range(rows), range(rows, 2 * rows)
    pairs = [(texts[a], texts[b]) for a, b in zip(firsts, seconds, strict=True)]
    alike = [(labels[a] + labels[b]) % CLASSES for a, b in zip(firsts, seconds, strict=True)]
    words = [tuple(texts[row].split()) for row in firsts]
    tags = [tuple(min(CLASSES - 1, len(word) // 4) for word in row) for row in words]
    singles = tuple((text,) for text in texts[:rows])
    return {
        "text-classification": Examples("text-classification", singles, tuple(labels[:rows])),
        "pair-classification": Examples("pair-classification", tuple(pairs), tuple(alike)),
        "token-classification": Examples("token-classification", tuple(words), tuple(tags)),
        **{kind: Examples(kind, singles, (0,) * rows) for kind in PLAIN_TEXT},
    }
