"""Plain text as a task: read, held out, cut into rows of whole words, and no byte lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from effauto.errors import DataError
from effauto.task import load_task
from effauto.task.vocabulary import learn_tokenizer, packed, pieces_of, vocabulary_for

KIND = "language-modeling"
WORDS = "the a quick brown fox jumps over lazy dogs while seven wizards box in silence"
LINES = [f"{number} {WORDS[number % 40 :]}, {WORDS[: number % 60]}.\n" for number in range(1500)]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "story.txt"
    path.write_text("".join(LINES), encoding="utf-8")
    return path


def test_a_file_is_cut_into_rows_and_its_end_is_held_out(text: Path) -> None:
    task = load_task(text, kind=KIND)
    rows = [row for split in (task.train, task.validation, task.test) for (row,) in split.inputs]
    assert "".join(rows) == "".join(LINES)
    assert (task.name, task.metric, task.kind) == ("story", "compression", KIND)
    assert len(task.classes) == task.traits.classes == 512
    assert task.traits.tokens_max <= 128
    assert len(task.notes) == 2


def test_the_same_text_makes_the_same_task(text: Path) -> None:
    first, second = (load_task(text, kind=KIND) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert first.tokenizer == second.tokenizer


def test_a_folder_of_splits_in_any_format(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("".join(LINES), encoding="utf-8")
    rows = "".join(json.dumps({"body": line.strip()}) + "\n" for line in LINES[:200])
    (tmp_path / "valid.jsonl").write_text(rows, encoding="utf-8")
    (tmp_path / "test.txt").write_text("".join(LINES[:150]), encoding="utf-8")
    task = load_task(tmp_path, kind=KIND, columns={"text": "body"})
    assert "".join(row for (row,) in task.validation.inputs) == "".join(LINES[:200])
    assert not task.notes


def test_any_texts_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.txt").write_text("".join(LINES[:700]), encoding="utf-8")
    (tmp_path / "deeper" / "two.md").write_text("".join(LINES[700:]), encoding="utf-8")
    assert len(load_task(tmp_path, kind=KIND).train) > 100


def test_rows_are_capped(text: Path) -> None:
    task = load_task(text, kind=KIND, max_rows=50)
    assert len(task.train) == 50
    assert task.notes[-1].startswith("train was capped at 50 of its")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"a.txt": "too little\n"}, "20 is the least; give more text"),
        ({"a.csv": "text\nhello\n"}, "holds no text"),
        ({"train.jsonl": '{"body": "hello"}\n'}, "has no column 'text', only body"),
        ({}, "holds no text"),
    ],
)
def test_what_is_no_text_is_said(made: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, content in made.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        load_task(tmp_path, kind=KIND)


def test_it_needs_text_and_has_one_metric(text: Path) -> None:
    with pytest.raises(DataError, match="needs text: name a file"):
        load_task(kind=KIND)
    with pytest.raises(DataError, match="there is no file or folder"):
        load_task(text.parent / "none", kind=KIND)
    with pytest.raises(DataError, match="is no metric of language models"):
        load_task(text, kind=KIND, metric="accuracy")


def test_a_vocabulary_grows_with_the_text() -> None:
    assert [vocabulary_for(size) for size in (10, 10**6, 10**9)] == [512, 1024, 16384]


TOKENIZER = learn_tokenizer(LINES)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=400), st.integers(128, 256))
def test_packing_loses_nothing_and_fits(text: str, most: int) -> None:
    rows = packed([text], TOKENIZER, most)
    assert "".join(rows) == text
    assert all(len(TOKENIZER.encode(row).ids) <= most for row in rows)


def test_pieces_stand_at_their_numbers() -> None:
    pieces = pieces_of(Tokenizer.from_str(TOKENIZER.to_str()))
    assert pieces[:2] == ("<s>", "<pad>")
    assert all(TOKENIZER.id_to_token(place) == piece for place, piece in enumerate(pieces))
