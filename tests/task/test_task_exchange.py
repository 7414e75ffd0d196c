"""A worker gets one split in a file, whole or not at all."""

import pytest

from effauto.errors import DataError, OutputError
from effauto.task import Examples, read_split, write_split

TAGGED = Examples("token-classification", (("a", "\u2028"), ("é\n",)), ((0, 1), (1,)))
PAIRS = Examples("pair-classification", (("a", "b"), ("c", "d")), (1, 0))


@pytest.mark.parametrize("examples", [TAGGED, PAIRS, Examples("text-classification", (), ())])
def test_round_trip(tmp_path, examples):
    write_split(examples, ("x", "y"), tmp_path / "train")
    assert read_split(tmp_path / "train") == (examples, ("x", "y"))
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_an_unwritable_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_split(PAIRS, ("x", "y"), tmp_path / "absent" / "train")


def test_a_file_that_lost_its_end_is_refused(tmp_path):
    path = tmp_path / "train"
    write_split(PAIRS, ("x", "y"), path)
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(DataError, match=r"is no split written by effauto.*rows are missing"):
        read_split(path)


def test_another_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_split(tmp_path / "absent")
    (tmp_path / "other").write_text('{"text": "x"}\n')
    with pytest.raises(DataError, match="is no split written by effauto"):
        read_split(tmp_path / "other")
