"""Train, validation and test: made where they are missing, and kept apart from each other.

All draws are by a hash of seed and text, so they do not depend on the order of the rows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from effauto.task.rows import Rows, most_common

Splits = dict[str, Rows]

# The share of the training rows that is held out, by which splits are missing.
_SHARES = {
    frozenset({"validation", "test"}): {"test": 0.1, "validation": 0.1},
    frozenset({"validation"}): {"validation": 0.1},
    frozenset({"test"}): {"test": 0.2},
}
SMALLEST_VALIDATION_CAP = 500


def separate(splits: Splits) -> tuple[Splits, list[str]]:
    """Drop the rows that also stand in a split which is judged by; test stays as it is.

    A validation split that would be left empty is left out. Returns the splits and a sentence for
    each thing dropped.
    """
    splits, notes = dict(splits), []
    for name, held in (("validation", "test"), ("train", "test"), ("train", "validation")):
        if name not in splits or held not in splits:
            continue
        rows, others = splits[name], splits[held]
        kept = _rows_not_in(rows, others)
        if len(kept) < len(rows):
            repeated = len(others) - len(_rows_not_in(others, rows))
            notes.append(
                f"{repeated:,} of {len(others):,} {held} rows also stand in {name}:"
                f" {len(rows) - len(kept):,} of {len(rows):,} {name} rows were dropped"
            )
        splits[name] = rows.select(kept)
        if name == "validation" and not kept:
            del splits["validation"]
            notes.append("no validation row was left, so validation is taken from train")
    return splits, notes


def _rows_not_in(rows: Rows, others: Rows) -> list[int]:
    known = set(others.keys)
    return [row for row, key in enumerate(rows.keys) if key not in known]


def make_missing(splits: Splits, seed: int) -> tuple[Splits, list[str]]:
    """Hold out the missing splits from train, stratified by label, equal texts together."""
    shares = _SHARES.get(frozenset({"validation", "test"} - splits.keys()), {})
    splits, notes, total = dict(splits), [], len(splits["train"])
    for name, share in shares.items():
        train = splits["train"]
        held = _held_out(train, round(total * share), seed)
        kept = set(range(len(train))) - set(held)
        splits |= {name: train.select(held), "train": train.select(sorted(kept))}
        notes.append(f"{name} was made of {len(held):,} of the {total:,} rows given for training")
    return splits, notes


def _held_out(rows: Rows, count: int, seed: int) -> list[int]:
    """At most ``count`` rows; a group with a label that no other row has is not taken."""
    groups: list[list[int]] = []
    for group in _groups(rows, seed):
        if len(group) <= count:
            groups.append(group)
            count -= len(group)
    held = {row for group in groups for row in group}
    known = {name for row in range(len(rows)) if row not in held for name in rows.names_of(row)}
    fit = (g for g in groups if all(known.issuperset(rows.names_of(row)) for row in g))
    return sorted(row for group in fit for row in group)


def _groups(rows: Rows, seed: int) -> Iterator[list[int]]:
    """Rows of equal text, in an order of which every beginning has about the same labels."""
    groups: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(rows.keys):
        groups[key].append(row)
    strata: dict[str, list[tuple[bytes, list[int]]]] = defaultdict(list)
    for key, group in groups.items():
        strata[most_common([rows.strata[row] for row in group])].append((_draw(seed, key), group))
    placed = []
    for drawn in strata.values():
        size, before = sum(len(group) for _, group in drawn), 0
        for draw, group in sorted(drawn):
            placed.append(((before + len(group) / 2) / size, draw, group))
            before += len(group)
    yield from (group for *_, group in sorted(placed))


def _draw(seed: int, key: str) -> bytes:
    return hashlib.blake2b(f"{seed} {key}".encode(), digest_size=12).digest()


def capped(splits: Splits, most: int, seed: int) -> tuple[Splits, list[str]]:
    """Keep ``most`` rows of train and a matching part of validation; test stays whole."""
    splits, notes = dict(splits), []
    limits = {"train": most, "validation": max(SMALLEST_VALIDATION_CAP, most // 4)}
    for name, limit in limits.items():
        rows = splits[name]
        if len(rows) > limit:
            splits[name] = rows.select(_stratified(rows, limit, seed))
            notes.append(f"{name} was capped at {limit:,} of its {len(rows):,} rows")
    return splits, notes


def _stratified(rows: Rows, count: int, seed: int) -> list[int]:
    """``count`` rows in their own order, at least one of each label if there is room."""
    order = [row for group in _groups(rows, seed) for row in group]
    first = {rows.strata[row]: row for row in reversed(order)}.values()
    return sorted(list(dict.fromkeys([*first, *order]))[:count])
