"""Public data sets load, with the leakage that was counted in them by other means."""

import time
from pathlib import Path

import pytest

from effauto.task import load_task

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no public data sets in {DATA}")

SETS = {
    "sst2": ("text-classification", 2, (6917, 872, 1821)),
    "trec6": ("text-classification", 6, (4941, 500, 500)),
    "banking77": ("text-classification", 77, (8997, 999, 3080)),
    "sms_spam": ("text-classification", 2, (3901, 559, 1114)),
    "sick": ("pair-classification", 3, (4439, 495, 4906)),
    "ewt_pos": ("token-classification", 17, (12162, 1914, 2077)),
}


@pytest.mark.parametrize("name", SETS)
def test_a_public_set_loads(name):
    task = load_task(DATA / name)
    kind, classes, sizes = SETS[name]
    assert (task.name, task.kind, len(task.classes)) == (name, kind, classes)
    assert (len(task.train), len(task.validation), len(task.test)) == sizes


@pytest.mark.parametrize(("name", "leaked"), [("trec6", 10), ("banking77", 7), ("ewt_pos", 105)])
def test_leakage_is_reported(name, leaked):
    notes = load_task(DATA / name).notes
    assert any(note.startswith(f"{leaked} of") and "also stand in train" in note for note in notes)


@pytest.mark.timing
def test_ten_thousand_rows_load_in_a_second():
    start = time.process_time()
    load_task(DATA / "banking77")
    assert time.process_time() - start < 1


def test_a_cap_leaves_test_whole():
    task = load_task(DATA / "banking77", max_rows=400)
    assert (len(task.train), len(task.validation), len(task.test)) == (400, 500, 3080)
    assert len(set(task.train.targets)) == 77
