"""What a database says when it cannot be used, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from effauto.errors import StoreError

_ELSEWHERE = "name another with --db or EFFAUTO_DB"

CUT_SHORT = f"is damaged or cut short; restore it from a backup, or {_ELSEWHERE}"

# SQLite's codes by their beginnings.
_SQLITE = {
    "SQLITE_BUSY": "is locked by another program; close that program, or wait and try again",
    "SQLITE_LOCKED": "is locked by another program; close that program, or wait and try again",
    "SQLITE_READONLY": f"is read-only; make it writable, or {_ELSEWHERE}",
    "SQLITE_PERM": f"may not be opened by this user; change its permissions, or {_ELSEWHERE}",
    "SQLITE_CANTOPEN": f"cannot be opened; check that its folder is writable, or {_ELSEWHERE}",
    "SQLITE_NOTADB": f"is not a results database; {_ELSEWHERE}",
    "SQLITE_CORRUPT": CUT_SHORT,
    "SQLITE_FULL": f"has no room left on its disk; free some space, or {_ELSEWHERE}",
    "SQLITE_IOERR": f"cannot be read or written: its disk fails or is full; {_ELSEWHERE}",
}


@contextmanager
def in_sentences(where: str) -> Iterator[None]:
    """Turn what the database at ``where`` complains of into StoreErrors.

    Mistakes of our own SQL are no such complaints, and pass.
    """
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error, OperationalError | InterfaceError) and type(error) is not (
            DatabaseError
        ):
            raise
        raise StoreError(f"The results database {where} {_meaning(error)}.") from error


def _meaning(error: DBAPIError) -> str:
    code = str(getattr(error.orig, "sqlite_errorname", ""))
    for beginning, meaning in _SQLITE.items():
        if code.startswith(beginning):
            return meaning
    said = " ".join(str(error.orig).split())
    return f"cannot be used: {said[:200]}; check that it can be reached, or {_ELSEWHERE}"
