"""Plain text as a task: a language model foretells pieces from those before, or around, them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from effauto.errors import DataError
from effauto.task.examples import Examples
from effauto.task.fingerprint import fingerprint
from effauto.task.hub import SPLIT_NAMES
from effauto.task.readers import plain_text, read_table
from effauto.task.task import COMPRESSION, Task
from effauto.task.traits import measure
from effauto.task.vocabulary import learn_tokenizer, packed, pieces_of
from effauto.traits import LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING, TaskKind
from effauto.workload import BASELINE

PLAIN, TABLES = (".txt", ".md"), (".jsonl", ".ndjson", ".json", ".parquet")
# What is held out at the end of the text, for each split that is missing.
HELD_OUT = 0.05
# Fewer rows of training teach nothing, and fewer held-out ones tell nothing.
LEAST_ROWS, LEAST_HELD_OUT = 20, 4


def load_corpus(
    source: str | Path,
    column: str = "text",
    seed: int = 0,
    max_rows: int | None = None,
    kind: TaskKind = LANGUAGE_MODELING,
) -> Task:
    """Read text from a file, or from a folder of ``train``, ``validation`` and ``test`` files or of
    any text files; learn a tokenizer on the training text, and pack all of it into rows.

    Raises DataError for what cannot be read, or is too little to learn from.
    """
    name, texts = _texts(Path(source).expanduser(), column)
    texts, notes = _held_out(texts)
    tokenizer = learn_tokenizer(texts["train"], masked=kind == MASKED_LANGUAGE_MODELING)
    rows = {s: packed(found, tokenizer, BASELINE.max_tokens) for s, found in texts.items()}
    _check(rows, str(source))
    if max_rows is not None and len(rows["train"]) > max_rows:
        notes.append(f"train was capped at {max_rows:,} of its {len(rows['train']):,} rows")
        rows["train"] = rows["train"][:max_rows]
    examples = {split: _examples(found, kind) for split, found in rows.items()}
    pieces = pieces_of(tokenizer)
    traits = measure(examples["train"], len(pieces), COMPRESSION, seed, _counter(tokenizer))
    return Task(
        name=name,
        kind=kind,
        metric=COMPRESSION,
        classes=pieces,
        train=examples["train"],
        validation=examples["validation"],
        test=examples["test"],
        fingerprint=fingerprint(kind, COMPRESSION, pieces, examples),
        traits=traits,
        notes=tuple(notes),
        tokenizer=tokenizer.to_str(),
    )


def _examples(rows: Sequence[str], kind: TaskKind) -> Examples:
    return Examples(kind, tuple((row,) for row in rows), (0,) * len(rows))


def _counter(tokenizer: Any) -> Any:
    return lambda rows, kind: [len(e.ids) for e in tokenizer.encode_batch([r[0] for r in rows])]


def _texts(path: Path, column: str) -> tuple[str, dict[str, list[str]]]:
    if path.is_file():
        return path.stem, {"train": _read(path, column)}
    if not path.is_dir():
        raise DataError(f"there is no file or folder {str(path)!r} of text")
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in (*PLAIN, *TABLES))
    found: dict[str, list[str]] = {}
    for file in files:
        for split, names in SPLIT_NAMES.items():
            if file.stem.lower() in names:
                found.setdefault(split, []).extend(_read(file, column))
    if "train" not in found:
        found = {"train": [text for file in files for text in _read(file, column)]}
    if not found["train"]:
        raise DataError(
            f"{path} holds no text: files end in {', '.join((*PLAIN, *TABLES))}, and those with "
            f"rows have a column {column!r}"
        )
    return path.resolve().name, found


def _read(path: Path, column: str) -> list[str]:
    """The file's text, or the texts of its rows."""
    if path.suffix.lower() in PLAIN:
        return [plain_text(path)]
    table = read_table(path)
    if column not in table.columns:
        known = ", ".join(table.columns)
        raise DataError(
            f"{path} has no column {column!r}, only {known}; say which is the text with "
            "--column text=NAME"
        )
    return [f"{record[column]}\n" for _, record in table.rows if record.get(column)]


def _held_out(texts: Mapping[str, list[str]]) -> tuple[dict[str, list[str]], list[str]]:
    """Cut missing splits from the end of the training text, whole lines of it."""
    found, notes = dict(texts), []
    lines = [line for text in found["train"] for line in text.splitlines(keepends=True)]
    count = max(1, round(HELD_OUT * len(lines)))
    for split in ("test", "validation"):
        if split not in found:
            lines, found[split] = lines[:-count], ["".join(lines[-count:])]
            notes.append(f"{split} was made of the last {count:,} lines given for training")
    return found | {"train": ["".join(lines)]}, notes


def _check(rows: Mapping[str, Sequence[str]], place: str) -> None:
    for split, found in rows.items():
        least = LEAST_ROWS if split == "train" else LEAST_HELD_OUT
        if len(found) < least:
            raise DataError(
                f"{place}: {split} makes {len(found)} rows of {BASELINE.max_tokens} pieces, and "
                f"{least} is the least; give more text"
            )
