"""The results database: every trial with its recipe, its figures foretold and measured, its fate.

SQLAlchemy is imported when a store is opened, not before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.store.entries import Artefact, MethodVersion, Situation, TrialRecord

if TYPE_CHECKING:
    from effauto.store.record import Store

__all__ = ["Artefact", "MethodVersion", "Situation", "Store", "TrialRecord", "open_store"]


def open_store(url: str | Path | None = None, *, create: bool = True) -> Store:
    """Open the results at ``url`` (a path or URL), beside those that came with effauto.

    Without one: ``EFFAUTO_DB``, else the user's data folder. It is made if ``create``, and an
    older one is migrated after a backup. Trials of dead processes are marked interrupted.
    Raises StoreError for a database that cannot be used, and leaves it as it was.
    """
    from effauto.store.location import shipped_path
    from effauto.store.record import Store
    from effauto.store.session import open_database, open_shipped

    seed = shipped_path()
    store = Store(open_database(url, create=create), open_shipped(seed) if seed else None)
    store.reap()
    return store


def __getattr__(name: str) -> Any:
    if name != "Store":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from effauto.store.record import Store

    return Store
