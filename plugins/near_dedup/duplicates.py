"""Which rows say something that no earlier row has said."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from effauto import Examples

PERMUTATIONS = 128
# Candidates are compared exactly afterwards, so a false one costs little and a missed one stays.
FALSE_POSITIVES, FALSE_NEGATIVES = 0.05, 0.95
# Above this an index has a single band, which datasketch refuses.
HIGHEST_INDEXED = 0.95


class Index:
    """Rows of ``examples`` that were added, to be asked for those that are nearly equal."""

    def __init__(self, examples: Examples, threshold: float, shingle: int) -> None:
        from datasketch import MinHashLSH

        self.examples, self.threshold, self.shingle = examples, threshold, shingle
        weights = (FALSE_POSITIVES, FALSE_NEGATIVES)
        indexed = min(threshold, HIGHEST_INDEXED)
        self._index = MinHashLSH(threshold=indexed, num_perm=PERMUTATIONS, weights=weights)

    def add(self, row: int) -> None:
        grams = self._grams(self.examples.inputs[row])
        self._index.insert(row, _sketch(grams), check_duplication=False)

    def near(self, fields: tuple[str, ...]) -> list[int]:
        """Added rows with a Jaccard similarity of at least the threshold, compared exactly."""
        grams = self._grams(fields)
        return [
            row
            for row in self._index.query(_sketch(grams))
            if jaccard(grams, self._grams(self.examples.inputs[row])) >= self.threshold
        ]

    def _grams(self, fields: tuple[str, ...]) -> set[str]:
        return shingles_of(fields, self.examples.kind, self.shingle)


def _sketch(grams: set[str]) -> Any:
    from datasketch import MinHash

    sketch = MinHash(num_perm=PERMUTATIONS, hashfunc=crc32)
    sketch.update_batch([gram.encode() for gram in grams])
    return sketch


def distinct_rows(examples: Examples, threshold: float, shingle: int) -> list[int]:
    """Row numbers, ascending, without repeats and without near-duplicates of one class.

    Of equal inputs the first with their most frequent target stays. Of inputs with a Jaccard
    similarity of at least ``threshold`` (character shingles) and the same class the first stays.
    """
    index = Index(examples, threshold, shingle)
    kept = []
    for row in rows_without_repeats(examples):
        label = class_of(examples, row)
        if all(label != class_of(examples, other) for other in index.near(examples.inputs[row])):
            index.add(row)
            kept.append(row)
    return kept


def leaked_rows(train: Examples, judged: Examples, threshold: float, shingle: int) -> list[int]:
    """Rows of ``judged`` that nearly stand in ``train``, whatever their classes."""
    index = Index(train, threshold, shingle)
    for row in range(len(train)):
        index.add(row)
    return [row for row, fields in enumerate(judged.inputs) if index.near(fields)]


def rows_without_repeats(examples: Examples) -> list[int]:
    """One row for each distinct input; where labels disagree, one with the label of most."""
    rows_of = defaultdict(list)
    for row, fields in enumerate(examples.inputs):
        rows_of[fields].append(row)
    kept = []
    for rows in rows_of.values():
        usual, _ = Counter(examples.targets[row] for row in rows).most_common(1)[0]
        kept.append(next(row for row in rows if examples.targets[row] == usual))
    return sorted(kept)


def shingles_of(fields: tuple[str, ...], kind: str, size: int) -> set[str]:
    """All runs of ``size`` characters, case and spacing evened out; the sides of a pair apart."""
    texts = [" ".join(fields)] if kind == "token-classification" else fields
    return {
        f"{side}{gram}"
        for side, text in enumerate(texts)
        for gram in _grams(" ".join(text.casefold().split()), size)
    }


def _grams(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(max(1, len(text) - size + 1))]


def class_of(examples: Examples, row: int) -> int | None:
    """The class of a row; tags are no class: sentences that read alike are tagged alike."""
    target = examples.targets[row]
    return target if isinstance(target, int) else None


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)
