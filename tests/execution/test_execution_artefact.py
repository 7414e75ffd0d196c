"""A trained model as a folder: whole or not there, readable by a process that knows nothing."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest
from sample_tasks import CLASSES, examples_of

import effauto
from effauto.errors import ModelError, OutputError
from effauto.execution.artefact import (
    MANIFEST,
    Manifest,
    digest_of,
    load_artefact,
    read_manifest,
    save_artefact,
    size_of,
    write_json,
)
from effauto.execution.linear import fit_linear
from effauto.recipe import Recipe


@pytest.fixture(scope="module")
def predictor():
    return fit_linear(examples_of("text-classification", 300), CLASSES, 0)


def manifest(**more):
    parts = {
        "kind": "text-classification", "classes": CLASSES, "family": "linear",
        "model": "bag-of-words", "recipe": Recipe(), "order": (), "network": {},
        "max_tokens": 64, "versions": {"python": "3"},
    }  # fmt: skip
    return Manifest(**(parts | more))


@pytest.fixture
def folder(tmp_path, predictor):
    save_artefact(tmp_path / "model", manifest(), predictor)
    return tmp_path / "model"


def test_a_manifest_comes_back_as_it_was(folder):
    assert read_manifest(folder) == manifest()


def test_a_fresh_process_answers_the_same(folder, predictor):
    texts = examples_of("text-classification", 30, seed=5).texts
    program = (
        "import effauto, json, sys\n"
        "model = effauto.load(sys.argv[1], threads=1)\n"
        "print(json.dumps(model.predict(json.load(sys.stdin))))\n"
        "assert 'torch' not in sys.modules"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, folder],
        input=json.dumps(texts), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(answer.stdout) == predictor.predict(texts)


def test_python_users_load_the_folder(folder):
    assert effauto.load(folder).predict(["snow and frost"]) == ["ice"]


def test_an_older_model_is_replaced_whole(folder, predictor):
    (folder / "left-over").write_text("of the older model")
    save_artefact(folder, manifest(model="newer"), predictor)
    assert read_manifest(folder).model == "newer"
    assert not (folder / "left-over").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_every_file_may_be_read_by_whoever_reads_the_manifest(folder):
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


@pytest.fixture
def full_disk():
    """A disk that takes files of 20 kB and no larger ones."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def large():
    examples = examples_of("text-classification", 300)
    words = tuple((f"{text} {number * 7919} {number * 104729}",) for number, text in
                  enumerate(examples.texts))  # fmt: skip
    return fit_linear(type(examples)(examples.kind, words, examples.targets), CLASSES, 0)


def test_a_full_disk_leaves_the_old_model_as_it_was(folder, large, full_disk):
    before = digest_of(folder)
    with pytest.raises(OutputError, match=r"the model cannot be saved in .*model: .*[Ff]ile too"):
        save_artefact(folder, manifest(model="newer"), large)
    assert digest_of(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_full_disk_leaves_the_old_json_as_it_was(tmp_path, full_disk):
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(OSError, match="File too large"):
        write_json(tmp_path / "a.json", ["new"] * 10_000)
    assert json.loads((tmp_path / "a.json").read_text()) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("place", ["file/model", "file"])
def test_a_place_that_cannot_be_is_refused(tmp_path, predictor, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="the model cannot be saved in"):
        save_artefact(tmp_path / place / "model", manifest(), predictor)


DAMAGED = {
    "absent": None,
    "no_json": "{",
    "no_object": "[]",
    "empty": "{}",
    "no_recipe": '{"effauto_artefact": 1}',
    "other_schema": '{"effauto_artefact": 2}',
    "binary": "\0\0",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_folder_that_is_no_whole_model_is_refused(folder, content):
    (folder / MANIFEST).unlink()
    if content is not None:
        (folder / MANIFEST).write_text(content)
    with pytest.raises(ModelError, match=r"holds no whole model|saved by another effauto"):
        effauto.load(folder)


def test_a_method_that_is_missing_is_named(folder):
    data = manifest(recipe=Recipe.of("magic"), order=("magic",), family="transformer").to_json()
    (folder / MANIFEST).write_text(json.dumps(data))
    with pytest.raises(ModelError, match="was made with the method 'magic'; install its plugin"):
        load_artefact(folder, dict, 1)
    (folder / MANIFEST).write_text(json.dumps(data | {"order": ["other"]}))
    with pytest.raises(ModelError, match="its order names other methods than its recipe"):
        load_artefact(folder, dict, 1)


def test_size_and_digest_are_those_of_all_files(folder):
    size, digest = size_of(folder), digest_of(folder)
    (folder / "more").write_bytes(b"12345")
    assert size_of(folder) == size + 5
    assert digest_of(folder) != digest
