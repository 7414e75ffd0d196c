"""How rare the words of a text are among those of all texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def rarities(inputs: Sequence[tuple[str, ...]], *, mean: bool = False) -> list[float]:
    """Minus the log-probability of each row's words, one by one (Platanios et al. 2019, section 2).

    Words are parted by spaces, case evened out; ``mean`` divides by their number, so that long
    texts are no rarer than short ones.
    """
    texts = [" ".join(fields).casefold().split() for fields in inputs]
    counts = Counter(word for words in texts for word in words)
    everything = counts.total()
    rare = {word: -math.log(count / everything) for word, count in counts.items()}
    sums = [sum(rare[word] for word in words) for words in texts]
    return [
        total / max(1, len(words)) if mean else total
        for total, words in zip(sums, texts, strict=True)
    ]
