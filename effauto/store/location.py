"""Where databases are, and whether a place can hold one."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from effauto.errors import StoreError


def default_path() -> Path:
    """Where the results of this user live, unless told otherwise."""
    from platformdirs import user_data_path

    return user_data_path("effauto") / "results.db"


def shipped_path() -> Path | None:
    """``registry.db`` at the top of a checkout, or inside the installed package.

    ``EFFAUTO_REGISTRY`` names another one; if it is empty, there is none.
    """
    chosen = os.environ.get("EFFAUTO_REGISTRY")
    if chosen is not None:
        return Path(chosen) if chosen else None
    package = Path(__file__).parents[1]
    if (package.parent / "pyproject.toml").is_file():
        return package.parent / "registry.db"
    return package / "registry.db"


def locate(given: str | Path | None) -> URL:
    """Read a path or URL; without one, ``EFFAUTO_DB``, else the user's own, whose folder is made.

    Raises StoreError for a URL of a kind that effauto does not use.
    """
    given = given or os.environ.get("EFFAUTO_DB")
    if not given:
        given = default_path()
        _make_folder(given.parent)
    if isinstance(given, Path) or "://" not in given:
        return URL.create("sqlite", database=str(given))
    return _read_url(given)


def _read_url(given: str) -> URL:
    scheme, rest = given.split("://", 1)
    try:
        url = make_url(f"{'postgresql' if scheme == 'postgres' else scheme}://{rest}")
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StoreError(
            f"{scheme}://… is no database that effauto can use: give a file's path, or"
            " postgresql://user:password@host/name."
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"effauto keeps results in SQLite or PostgreSQL, not in {scheme}.")
    return url


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} for your results cannot be made: {error.strerror};"
            " name another place with --db or EFFAUTO_DB."
        ) from error


def check_file(path: Path, *, create: bool) -> None:
    """Raise StoreError for what SQLite would report less clearly, or not before the first write."""

    def unusable(why: str) -> StoreError:
        return StoreError(f"The results database {path} {why}.")

    if str(path) in (".", ":memory:"):
        raise StoreError("A results database must be a file; give its path.")
    if path.is_dir():
        raise unusable("is a folder; name a file in it, such as results.db")
    if not path.parent.is_dir():
        raise unusable("has no folder to be in; make the folder first, or correct the path")
    if path.exists() and not path.is_file():
        raise unusable("is no regular file; name another path")
    if not path.exists() and not create:
        raise unusable("does not exist; check the path, or have 'effauto plan --db' make it")
    for place in (path.parent, path):
        if place.exists() and not _writable(place):
            raise unusable("is read-only; make it and its folder writable, or name another path")


def _writable(path: Path) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(path, os.R_OK | os.W_OK, effective_ids=effective)
