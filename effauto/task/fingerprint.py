"""A task's identity: a hash of what it holds, whatever files it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from effauto.task.examples import Examples
from effauto.traits import TaskKind


def fingerprint(
    kind: TaskKind, metric: str, classes: Sequence[str], splits: Mapping[str, Examples]
) -> str:
    """Return 16 hexadecimal digits that change with any row, its order, or its split."""
    digest = hashlib.sha256(json.dumps([kind, metric, *classes]).encode())
    for name in sorted(splits):
        digest.update(json.dumps([name, len(splits[name])]).encode())
        for row in zip(splits[name].inputs, splits[name].targets, strict=True):
            digest.update(json.dumps(row).encode())
    return digest.hexdigest()[:16]
