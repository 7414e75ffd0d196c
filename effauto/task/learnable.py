"""Whether there is enough in a task's splits to learn from and to judge by."""

from __future__ import annotations

from effauto.errors import DataError
from effauto.task.rows import Rows
from effauto.task.splits import Splits

FEWEST_ROWS = 20


def check_given(train: Rows, place: str) -> None:
    """Raise DataError if the rows given for training are too few or all of one class."""
    if len(train) < FEWEST_ROWS:
        raise DataError(
            f"{place} holds {len(train)} training rows; at least {FEWEST_ROWS} are needed to learn"
        )
    if len(train.names) < 2:
        raise DataError(f"{place} has one class only, {min(train.names)!r}; give rows of another")


def check_splits(splits: Splits, place: str) -> None:
    """Raise DataError if a split came out too small, or has labels that train has not."""
    train = splits["train"]
    if len(train) < FEWEST_ROWS or len(train.names) < 2:
        raise DataError(
            f"{place} keeps {len(train)} training rows of {len(train.names)} classes once those of"
            f" validation and test are taken out; {FEWEST_ROWS} rows of 2 classes are needed"
        )
    for split in ("validation", "test"):
        if not len(splits[split]):
            raise DataError(
                f"no {split} rows can be taken from {place}: too few rows share a label; give more"
                f" rows, or a folder with a {split} file"
            )
        _check_labels(splits[split], train, f"{split} of {place}")


def _check_labels(rows: Rows, train: Rows, place: str) -> None:
    unseen = sorted(rows.names - train.names)
    if unseen:
        listed = ", ".join(repr(label[:40]) for label in unseen[:5])
        raise DataError(
            f"{place} has labels of which train has no row (train rows that also stand in"
            f" validation or test are dropped): {listed}{' …' if len(unseen) > 5 else ''};"
            " remove their rows, or give train some"
        )


def check_cap(max_rows: int, classes: int) -> None:
    """Raise DataError if a cap on the training rows leaves too few to learn from."""
    fewest = max(FEWEST_ROWS, classes)
    if max_rows < fewest:
        raise DataError(
            f"at most {max_rows} training rows are too few: this task needs {fewest},"
            f" which is {FEWEST_ROWS} or one for each of its {classes} classes"
        )
