"""Writes trials into a bundle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from effauto.store.bundle.files import write
from effauto.store.bundle.outgoing import to_line
from effauto.store.filters import Filter
from effauto.store.identity import versions
from effauto.store.query import trials
from effauto.store.record import Store


def export_results(
    store: Store,
    path: Path,
    wanted: Filter,
    *,
    limit: int | None = None,
    anonymous: bool = False,
    shipped: bool = False,
) -> int:
    """Write the newest ``limit`` ended trials that pass ``wanted`` to ``path``; return how many.

    What came with effauto is left out unless ``shipped``. Raises StoreError if it cannot be
    written, and then leaves what was there.
    """
    asked = store if shipped else replace(store, shipped=None)
    found = [record for record in trials(asked, wanted) if record.state != "running"][:limit]
    about = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "effauto": versions()["effauto"],
        "trials": len(found),
        "anonymous": anonymous,
    }
    write(path, about, (to_line(record, anonymous=anonymous) for record in found))
    return len(found)
