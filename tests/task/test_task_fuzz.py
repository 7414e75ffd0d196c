"""Whatever is in a file, it is a task or a DataError; whatever the rows, the splits are apart."""

import contextlib
import csv
import io
import json
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from effauto.errors import DataError
from effauto.task import load_task, read_split, write_split
from effauto.task.rows import Rows, normalised
from effauto.task.splits import make_missing, separate

many = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
names = st.sampled_from(["text", "label", "tokens", "tags", "text_a", "text_b", "sentence"])


@many
@given(
    st.binary(max_size=300),
    st.sampled_from(["t.jsonl", "t.json", "t.csv", "t.tsv", "t.jsonl.gz", "t.parquet"]),
)
def test_random_bytes(tmp_path, content, name):
    _load(tmp_path / name, content)


@many
@given(st.lists(values | st.dictionaries(names, values), max_size=30))
def test_random_json(tmp_path, lines):
    _load(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)).encode())


@many
@given(st.sets(names, max_size=4), st.text(alphabet='ab 1.,;"\n\r\t[]\u2028é\x00', max_size=200))
def test_random_csv(tmp_path, header, body):
    _load(tmp_path / "t.csv", f"{','.join(sorted(header))}\n{body}".encode())


@many
@given(
    st.lists(
        st.tuples(st.text(max_size=3), st.sampled_from(["a", "b", "1", " a", "0.5", ""])),
        min_size=18,
        max_size=60,
    )
)
def test_csv_that_nearly_is_a_task(tmp_path, rows):
    stream = io.StringIO()
    csv.writer(stream).writerows([("text", "label"), *rows])
    _load(tmp_path / "t.csv", stream.getvalue().encode())


def _load(path, content):
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        task = load_task(path)
        assert len(task.train) >= 20
        assert len(task.classes) >= 2


@st.composite
def labelled_rows(draw, words=("x", "X ", "y", "z z", "z  Z", "v", "w")):
    texts = draw(st.lists(st.sampled_from(words) | st.text(min_size=1, max_size=3), max_size=40))
    labels = draw(st.lists(st.sampled_from("abc"), min_size=len(texts), max_size=len(texts)))
    return Rows("text-classification", tuple((text,) for text in texts), tuple(labels))


@many
@given(
    labelled_rows(),
    st.dictionaries(st.sampled_from(["validation", "test"]), labelled_rows()),
    st.integers(0, 5),
)
def test_splits_are_apart_and_test_is_kept(train, given_splits, seed):
    before = {"train": train, **given_splits}
    splits, _ = make_missing(separate(before)[0], seed)
    assert splits.keys() == {"train", "validation", "test"}
    for one, other in combinations(splits.values(), 2):
        assert not set(one.keys) & set(other.keys)
    if "test" in before:
        assert splits["test"] == before["test"]
    for made in splits.keys() - before.keys():
        assert splits[made].names <= splits["train"].names
    assert sum(map(len, splits.values())) <= sum(map(len, before.values()))


@many
@given(labelled_rows(), st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_of_rows_does_not_matter(rows, chance, seed):
    order = chance.sample(range(len(rows)), len(rows))
    splits, _ = make_missing({"train": rows}, seed)
    shuffled, _ = make_missing({"train": rows.select(order)}, seed)
    for name in splits:
        assert sorted(splits[name].keys) == sorted(shuffled[name].keys)


@many
@given(labelled_rows())
def test_a_split_survives_its_file(tmp_path, rows):
    examples = rows.encoded("abc")
    write_split(examples, ("a", "b", "c"), tmp_path / "split")
    assert read_split(tmp_path / "split") == (examples, ("a", "b", "c"))


@many
@given(st.binary(max_size=200) | st.lists(values).map(lambda v: json.dumps(v).encode()))
def test_a_split_file_of_random_bytes_is_refused(tmp_path, content):
    (tmp_path / "split").write_bytes(content)
    with contextlib.suppress(DataError):
        read_split(tmp_path / "split")


@given(st.text())
def test_normalised_texts_stay_so(text):
    once = normalised((text,), "text-classification")
    assert once == once.strip()
    assert normalised((f"  {text}\t",), "text-classification") == once
