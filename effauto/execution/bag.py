"""The features of a bag of words.

Texts: TF-IDF of word 1-2-grams, sublinear counts. Pairs: |a - b|, a · b and their dot product.
Tagging: a window of two words to each side, with affixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WINDOW = 2
_HASHED = 2**17


class TextFeatures:
    """TF-IDF of one text, or of a pair combined."""

    def __init__(self, pairs: bool) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.pairs = pairs
        self.vectorizer = TfidfVectorizer(
            ngram_range=(1, 2),
            sublinear_tf=True,
            token_pattern=r"(?u)\b\w+\b|[^\w\s]",
            dtype=np.float32,
        )

    def fit(self, rows: Sequence[tuple[str, ...]]) -> TextFeatures:
        self.vectorizer.fit([text for row in rows for text in row])
        return self

    @classmethod
    def restored(cls, pairs: bool, words: Sequence[str], idf: NDArray[np.float32]) -> TextFeatures:
        features = cls(pairs)
        features.vectorizer.vocabulary_ = {word: place for place, word in enumerate(words)}
        features.vectorizer.idf_ = idf
        return features

    def of(self, rows: Sequence[tuple[str, ...]]) -> Any:
        first = self.vectorizer.transform([row[0] for row in rows])
        if not self.pairs:
            return first
        from scipy.sparse import hstack

        second = self.vectorizer.transform([row[1] for row in rows])
        product = first.multiply(second)
        return hstack([abs(first - second), product, product.sum(axis=1)]).tocsr()

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        return {"idf": self.vectorizer.idf_.astype(np.float32)}

    def words(self) -> list[str]:
        return [str(word) for word in self.vectorizer.get_feature_names_out()]


class WindowFeatures:
    """Hashed features of each word and its neighbours; nothing to fit."""

    def of(self, rows: Sequence[tuple[str, ...]]) -> Any:
        from sklearn.feature_extraction import FeatureHasher

        hasher = FeatureHasher(_HASHED, input_type="string", dtype=np.float32)
        return hasher.transform(
            list(_around(row, place)) for row in rows for place in range(len(row))
        )

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        return {}

    def words(self) -> list[str]:
        return []


def _around(row: Sequence[str], place: int) -> list[str]:
    word = row[place]
    found = [f"w={word.lower()}", f"shape={_shape(word)}", f"first={place == 0}"]
    found += [f"p{n}={word[:n].lower()}" for n in (1, 2, 3)]
    found += [f"s{n}={word[-n:].lower()}" for n in (1, 2, 3, 4)]
    for step in range(-_WINDOW, _WINDOW + 1):
        if step and 0 <= place + step < len(row):
            near = row[place + step]
            found += [f"{step}={near.lower()}", f"{step}s={near[-3:].lower()}"]
        elif step:
            found.append(f"{step}=edge")
    return found


def _shape(word: str) -> str:
    kinds = [
        "X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word
    ]
    return "".join(kind for n, kind in enumerate(kinds) if n == 0 or kind != kinds[n - 1])
