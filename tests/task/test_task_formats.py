"""The same rows make the same task, in whatever format and under whatever names they come."""

import csv
import gzip
import io
import json

import pytest

from effauto.errors import DataError
from effauto.task import load_task


def as_csv(rows, delimiter=",", **options):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter, **options)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def awkward(reviews):
    texts = ['He said "no", then left', "two\nlines", "tab\there", "Ünïcode\u2028 ☃", "'", "; x"]
    return reviews + [{"text": text, "label": "good"} for text in texts]


FORMATS = {
    "gz": ("t.jsonl.gz", lambda rows: gzip.compress(as_lines(rows).encode())),
    "byte_order_mark": ("t.jsonl", lambda rows: b"\xef\xbb\xbf" + as_lines(rows).encode()),
    "array": ("t.json", lambda rows: json.dumps(rows, indent=1)),
    "lines_named_json": ("t.json", as_lines),
    "windows_line_ends": ("t.jsonl", lambda rows: as_lines(rows).replace("\n", "\r\n\r\n")),
    "csv": ("t.csv", as_csv),
    "csv_with_mark": ("t.csv", lambda rows: "\ufeff" + as_csv(rows)),
    "csv_all_quoted": ("t.csv", lambda rows: as_csv(rows, quoting=csv.QUOTE_ALL)),
    "semicolons": ("t.csv", lambda rows: as_csv(rows, ";")),
    "tsv": ("t.tsv", lambda rows: as_csv(rows, "\t")),
    "tsv_gz": ("t.tsv.gz", lambda rows: gzip.compress(as_csv(rows, "\t").encode())),
}


@pytest.mark.parametrize(("name", "content"), FORMATS.values(), ids=FORMATS)
def test_the_format_does_not_matter(write, awkward, name, content):
    expected = load_task(write("plain.jsonl", as_lines(awkward)))
    task = load_task(write(name, content(awkward)))
    assert task.fingerprint == expected.fingerprint
    assert (task.train, task.validation, task.test) == (
        expected.train,
        expected.validation,
        expected.test,
    )


def test_parquet(tmp_path, write, awkward):
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    parquet.write_table(pyarrow.Table.from_pylist(awkward), tmp_path / "t.parquet")
    expected = load_task(write("plain.jsonl", awkward))
    assert load_task(tmp_path / "t.parquet").fingerprint == expected.fingerprint


def test_a_tsv_file_without_quoting(write):
    rows = "".join(f'"Odd number {n}\t{n % 2}\n' for n in range(101))
    task = load_task(write("t.tsv", "sentence\tlabel\n" + rows))
    assert task.classes == ("0", "1")
    assert task.train.inputs[0][0].startswith('"Odd')
    assert len(task.train) + len(task.validation) + len(task.test) == 101


@pytest.mark.parametrize("label", [lambda n: n % 3, lambda n: f"{n % 3}", lambda n: float(n % 3)])
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_whole_numbers_are_fine_as_labels(write, label, suffix):
    rows = [{"text": f"text {n}", "label": label(n)} for n in range(60)]
    task = load_task(write(f"t.{suffix}", as_csv(rows) if suffix == "csv" else as_lines(rows)))
    assert task.classes == ("0", "1", "2")


def test_truth_values_are_fine_as_labels(write):
    rows = [{"text": f"text {n}", "label": n % 2 == 0} for n in range(60)]
    assert load_task(write("t.jsonl", rows)).classes == ("false", "true")


@pytest.mark.parametrize(
    "names",
    [
        ("text_a", "text_b", "label"),
        ("sentence1", "sentence2", "label"),
        ("Premise", "Hypothesis", "gold_label"),
        ("question", "answer", "label"),
        ("question", "sentence", "target"),
    ],
)
def test_pairs_are_found_by_their_columns(write, names):
    rows = [dict(zip(names, (f"a {n}", f"b {n}", "xy"[n % 2]), strict=True)) for n in range(40)]
    task = load_task(write("t.jsonl", rows))
    assert task.kind == "pair-classification"
    assert task.train.inputs[0] == ("a 0", "b 0")
    assert task.classes == ("x", "y")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("Content", "intent"), "text-classification"),
        (("text", "label", "lang", "review"), "text-classification"),
        (("text", "label", "question", "answer"), "text-classification"),
    ],
)
def test_a_text_is_found_by_its_column(write, names, kind):
    rows = [dict.fromkeys(names, f"text {n}") | {names[1]: "xy"[n % 2]} for n in range(40)]
    task = load_task(write("t.jsonl", rows))
    assert (task.kind, task.train.inputs[0]) == (kind, ("text 0",))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("sentence", "review", "label"),
            "none .* is clearly the text of a text-classification; .*--column text=",
        ),
        (("tokens", "tags", "text", "label"), "fit text-classification and token-classification"),
        (("great film", "positive"), "'great film', 'positive'"),
    ],
)
def test_columns_in_doubt_are_asked_for(write, names, message):
    with pytest.raises(DataError, match=message):
        load_task(write("t.jsonl", [dict.fromkeys(names, "x")]))


def test_columns_can_be_named(write):
    rows = [{"a": f"first {n}", "b": f"second {n}", "c": "xy"[n % 2]} for n in range(40)]
    path = write("t.jsonl", rows)
    task = load_task(path, columns={"text": "b", "label": "c"})
    assert (task.kind, task.train.inputs[0]) == ("text-classification", ("second 0",))
    task = load_task(path, columns={"text_a": "b", "text_b": "a", "label": "c"})
    assert (task.kind, task.train.inputs[0]) == ("pair-classification", ("second 0", "first 0"))


WORDS, TAGS = ["A", "cat", "sat"], ["DET", "NOUN", "VERB"]


@pytest.mark.parametrize(
    ("name", "write_list"),
    [
        ("t.jsonl", list),
        ("t.csv", json.dumps),
        ("t.csv", str),
        ("t.tsv", " ".join),
    ],
)
def test_tagged_tokens(write, name, write_list):
    rows = [{"tokens": write_list([*WORDS, str(n)]), "tags": write_list([*TAGS, "NUM"])}
            for n in range(50)]  # fmt: skip
    task = load_task(write(name, rows if name == "t.jsonl" else as_csv(rows, _separator(name))))
    assert task.kind == "token-classification"
    assert task.classes == ("DET", "NOUN", "NUM", "VERB")
    assert task.train.inputs[0] == ("A", "cat", "sat", "0")
    assert task.train.targets[0] == (0, 1, 3, 2)


def _separator(name):
    return "\t" if name.endswith("tsv") else ","


def test_a_bracket_is_a_token_too(write):
    rows = [{"tokens": f"[ see {n} ]", "tags": "P V N P"} for n in range(50)]
    task = load_task(write("t.csv", as_csv(rows)))
    assert task.train.inputs[0] == ("[", "see", "0", "]")


def test_a_folder_with_files_of_three_formats(write, reviews):
    write("d/train.csv.gz", gzip.compress(as_csv(reviews[:60]).encode()))
    write("d/notes.txt", "not data")
    write("d/dev.tsv", as_csv(reviews[60:80], "\t"))
    task = load_task(write("d/test.jsonl", reviews[80:]).parent)
    assert (len(task.train), len(task.validation), len(task.test)) == (60, 20, 20)
    assert (task.name, task.notes) == ("d", ())


def test_data_sets_of_the_hub_become_tables():
    datasets = pytest.importorskip("datasets")
    from effauto.task.hub import tables

    label = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    open_ = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
    hidden = datasets.Dataset.from_dict({"text": ["a"], "label": [-1]}, features=features)
    found, notes = tables({"train": open_, "dev": open_, "test": hidden}, "set")
    assert [row["label"] for _, row in found["train"].rows] == ["no", "yes"]
    assert list(found) == ["train", "validation"]
    assert notes == ["test of set was left out, since its labels are not public"]
