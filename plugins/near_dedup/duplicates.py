"""Which rows say something that no earlier row has said."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from effauto import Examples

PERMUTATIONS = 128
# Candidates are compared exactly afterwards, so a false one costs little and a missed one stays.
FALSE_POSITIVES, FALSE_NEGATIVES = 0.2, 0.8
# Above this an index has a single band, which datasketch refuses.
HIGHEST_INDEXED = 0.95


def distinct_rows(examples: Examples, threshold: float, shingle: int) -> list[int]:
    """Row numbers, ascending, without repeats and without near-duplicates of one class.

    Of equal inputs the first with their most frequent target stays. Of inputs with a Jaccard
    similarity of at least ``threshold`` (character shingles) and the same class the first stays.
    """
    from datasketch import MinHash, MinHashLSH

    weights = (FALSE_POSITIVES, FALSE_NEGATIVES)
    indexed = min(threshold, HIGHEST_INDEXED)
    index = MinHashLSH(threshold=indexed, num_perm=PERMUTATIONS, weights=weights)
    kept = []
    for row in rows_without_repeats(examples):
        shingles = shingles_of(examples.inputs[row], examples.kind, shingle)
        sketch = MinHash(num_perm=PERMUTATIONS, hashfunc=crc32)
        sketch.update_batch([gram.encode() for gram in shingles])
        if not any(
            class_of(examples, row) == class_of(examples, other)
            and jaccard(shingles, shingles_of(examples.inputs[other], examples.kind, shingle))
            >= threshold
            for other in index.query(sketch)
        ):
            index.insert(row, sketch, check_duplication=False)
            kept.append(row)
    return kept


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
