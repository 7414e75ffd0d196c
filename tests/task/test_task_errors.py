"""Input that cannot be used is refused by one sentence that says what, where and why."""

import gzip
import sys
from pathlib import Path

import pytest

from effauto.errors import DataError
from effauto.task import load_task

GOOD = b'{"text": "fine", "label": "a"}\n'


def row(text='"x"', label='"a"'):
    return f'{{"text": {text}, "label": {label}}}\n'.encode()


BROKEN_FILES = {
    "empty": ("t.jsonl", b"", "t.jsonl is empty"),
    "blank": ("t.jsonl", b"\n \n", "t.jsonl is empty"),
    "only_a_header": ("t.csv", b"text,label\n", "t.csv is empty"),
    "broken_json": ("t.jsonl", GOOD + b'{"text": \n', "line 2: broken JSON at column"),
    "broken_json_array": ("t.json", b"[\n{]", "broken JSON at line 2, column 2"),
    "no_object": ("t.jsonl", GOOD + b"[1, 2]\n", "line 2: must hold a JSON object"),
    "deep_json": ("t.jsonl", b"[" * 100_000, "line 1: JSON that is nested too deeply"),
    "endless_number": ("t.jsonl", row(label="1" * 5000), "line 1: JSON with a number of too many"),
    "no_label": (
        "t.jsonl",
        b'{"text": "x", "stars": 5}\n',
        "none .*'text', 'stars' is clearly the label .*--column label=",
    ),
    "missing_label": ("t.jsonl", GOOD + b'{"text": "x"}\n', "line 2: the label is missing"),
    "null_label": ("t.jsonl", GOOD + row(label="null"), "line 2: the label is missing"),
    "blank_label": ("t.csv", b"text,label\nx,a\ny, \n", "line 3: the label is missing"),
    "missing_text": ("t.jsonl", GOOD + b'{"label": "x"}\n', "line 2: the text is missing"),
    "empty_text": ("t.jsonl", GOOD + row('" "'), "line 2: the text is empty"),
    "number_as_text": ("t.jsonl", GOOD + row("7"), r"line 2: the text must be a text, not '7'"),
    "list_as_label": ("t.jsonl", GOOD + row(label="[1]"), "line 2: a label must be a word or"),
    "fraction": ("t.jsonl", row(label="3.8"), "line 1: the label 3.8 is no whole number"),
    "csv_fraction": ("t.csv", b"text,label\nx,3.8\n", "line 2: the label 3.8 is no whole number"),
    "infinity": ("t.jsonl", row(label="NaN"), "line 1: the label nan is no whole number"),
    "mixed": (
        "t.jsonl",
        GOOD + row(label="1"),
        "line 2: .*'1' under 'label' is a number, but 'a' in line 1",
    ),
    "mixed_truth": ("t.jsonl", row(label="1") + row(label="true"), "line 2: .*truth value"),
    "csv_mixed": (
        "t.csv",
        b"text,label\nx,1\ny,b\n",
        "line 3: .*'b' under 'label' is a word, but '1' in",
    ),
    "not_utf8": ("t.jsonl", GOOD + b'{"text": "\xe9"}', "line 2: byte 41 is not UTF-8"),
    "utf16": ("t.csv", "text,label\n".encode("utf-16"), "line 1: byte 0 is not UTF-8"),
    "nul": ("t.csv", b"text,label\nx\0,a\n", "line 2: holds a NUL character"),
    "escaped_nul": ("t.jsonl", row(r'"\u0000"'), "line 1: the text holds a NUL character"),
    "half_a_pair": ("t.jsonl", row(r'"\ud800"'), "line 1: the text holds half a surrogate"),
    "half_a_pair_label": ("t.jsonl", row(label=r'"\ud800"'), "line 1: the label holds half"),
    "ragged": ("t.csv", b"text,label\nx,a\nx, y,a\n", "line 3: 3 fields, but the header has 2"),
    "open_quote": ("t.csv", b'text,label\n"x,a\n', "line 2: broken CSV"),
    "huge_field": ("t.csv", b"text,label\n" + b"x" * 200_000 + b",a\n", "line 2: broken CSV"),
    "twin_columns": ("t.csv", b"text,text,label\n", "two columns are named 'text'"),
    "broken_gzip": ("t.jsonl.gz", GOOD, "is no whole gzip file"),
    "cut_gzip": ("t.jsonl.gz", gzip.compress(GOOD)[:-9], "is no whole gzip file"),
    "unknown_format": ("t.xlsx", b"PK", r"must end in one of \.jsonl"),
    "broken_parquet": ("t.parquet", b"PAR1", "is no Parquet file"),
    "lengths": ("t.jsonl", b'{"tokens": ["a"], "tags": ["X", "Y"]}', "line 1: 1 tokens but 2 tags"),
    "no_tokens": ("t.jsonl", b'{"tokens": [], "tags": []}', "line 1: the tokens must be a list"),
    "null_tags": ("t.jsonl", b'{"tokens": ["a"], "tags": null}', "line 1: the tags are missing"),
    "number_token": ("t.jsonl", b'{"tokens": [1], "tags": [1]}', "line 1: a token must be a text"),
    "mixed_tags": (
        "t.jsonl",
        b'{"tokens": ["a", "b"], "tags": ["X", 1]}',
        "'1' under 'tags' is a number",
    ),
    "three_rows": ("t.jsonl", GOOD * 3, "t.jsonl holds 3 training rows; at least 20"),
    "one_class": ("t.jsonl", GOOD * 30, "t.jsonl has one class only, 'a'"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_refused_with_its_place(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        load_task(write(name, content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["absent.jsonl", "./absent", "~nobody-here/x", "x" * 5000])
def test_a_missing_file_is_refused(source):
    with pytest.raises(DataError, match=r"no file or folder|cannot be opened"):
        load_task(source)


def test_a_name_that_is_no_path_points_to_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"no file or folder here.*effauto\[datasets\]"):
        load_task("glue:sst2")


def test_too_few_rows_are_left_once_the_splits_are_made(write, reviews):
    with pytest.raises(DataError, match="keeps 16 training rows of 2 classes"):
        load_task(write("t.jsonl", reviews[:20]))


def test_labels_that_all_differ_cannot_be_split(write):
    rows = [{"text": f"text {n}", "label": f"label {n}"} for n in range(50)]
    with pytest.raises(DataError, match=r"no validation rows can be taken from .*: too few rows"):
        load_task(write("t.jsonl", rows))


def test_labels_unseen_in_train_are_named(write, reviews):
    write("d/train.jsonl", reviews)
    folder = write("d/test.jsonl", [{"text": "new", "label": "odd"}]).parent
    with pytest.raises(DataError, match=r"test of .*d has labels of which train has no row.*'odd'"):
        load_task(folder)


def test_a_folder_without_train_is_refused(write, reviews):
    folder = write("d/test.jsonl", reviews).parent
    with pytest.raises(DataError, match=r"has no train file.*it has test\.jsonl"):
        load_task(folder)


def test_two_files_for_one_split_are_refused(write, reviews):
    write("d/train.jsonl", reviews)
    folder = write("d/train.csv", "text,label\n").parent
    with pytest.raises(DataError, match=r"more than one train file \(train.csv, train.jsonl\)"):
        load_task(folder)


def test_a_folder_that_is_named_like_a_file_is_refused(tmp_path):
    (tmp_path / "train.jsonl").mkdir()
    with pytest.raises(DataError, match=r"train\.jsonl is a folder, not a file"):
        load_task(tmp_path)
    with pytest.raises(DataError, match=r"has no train file.*no data files"):
        load_task(tmp_path / "train.jsonl")


def test_a_split_without_the_columns_of_train_is_refused(write, reviews):
    write("d/train.jsonl", reviews)
    folder = write("d/test.csv", "sentence,label\nx,good\n").parent
    with pytest.raises(DataError, match=r"test\.csv has no column 'text'"):
        load_task(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "f1"}, "'f1' is no metric; known: accuracy, macro_f1"),
        ({"kind": "regression"}, "'regression' is no kind of task; known: text-class"),
        (
            {"kind": "token-classification"},
            "is clearly the tokens or the tags of a token-class",
        ),
        (
            {"columns": {"words": "text"}},
            "no role 'words' for a column; roles: text, label",
        ),
        ({"columns": {"text": "body"}}, r"t\.jsonl has no column 'body'; it has 'text', 'label'"),
        ({"columns": {"text": "text", "label": "text"}}, "two roles cannot be played by the same"),
        ({"columns": {"text": "text", "tags": "label"}}, "text, tags are not roles of one kind"),
        ({"max_rows": 10}, "at most 10 training rows are too few: this task needs 20"),
        ({"max_rows": -1}, "at most -1 training rows"),
    ],
)
def test_wrong_options_are_refused(write, reviews, options, message):
    with pytest.raises(DataError, match=message):
        load_task(write("t.jsonl", reviews), **options)


def test_an_unreadable_file_is_refused(write, reviews):
    path = write("t.jsonl", reviews)
    path.chmod(0)
    if _readable(path):
        pytest.skip("this user may read every file")
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        load_task(path)


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True
