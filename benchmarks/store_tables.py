"""``docs/store.md`` from what ``store.py`` measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = """# The results database, measured

Written by `python benchmarks/store.py --write` from `benchmarks/measured/store.*.json`, measured
on a machine with two cores; a throw-away PostgreSQL 15 with `fsync=off`, SQLite with
`synchronous=FULL`.
"""


def document(measured: Path) -> str:
    """All parts that were measured."""
    parts = {
        part: json.loads((measured / f"store.{part}.json").read_text(encoding="utf-8"))
        for part in ("scale", "kills", "optuna")
        if (measured / f"store.{part}.json").exists()
    }
    writers = {"scale": _scale, "kills": _kills, "optuna": _optuna}
    text = [HEAD]
    for part, found in parts.items():
        text += [*writers[part](found), ""]
    return "\n".join(text)


def _table(titles: list[str], rows: list[list[Any]]) -> Iterator[str]:
    for cells in (titles, ["---"] * len(titles), *rows):
        yield f"| {' | '.join(map(str, cells))} |"


def _scale(found: dict[str, Any]) -> Iterator[str]:
    one = next(iter(found.values()))
    yield "## With many trials\n"
    yield (
        f"{one['trials']:,} trials with {one['measurements']:,} measurements "
        "(`benchmarks/store_made.py`). Milliseconds of the wall, the median of five.\n"
    )
    rows: list[list[Any]] = [
        [name, *(kind["milliseconds"][name] for kind in found.values())]
        for name in one["milliseconds"]
    ]
    rows.append(["trials imported a second", *(f["imported_a_second"] for f in found.values())])
    yield from _table(["", *found], rows)


def _kills(found: dict[str, Any]) -> Iterator[str]:
    yield "## Killed\n"
    yield (
        "A process writes trials of a study as a search does, reports each once it is finished, "
        "and is killed (SIGKILL) at a random moment; the next one resumes.\n"
    )
    names = list(next(iter(found.values())))
    rows = [[name.replace("_", " "), *(kind[name] for kind in found.values())] for name in names]
    yield from _table(["", *found], rows)


def _optuna(found: dict[str, Any]) -> Iterator[str]:
    yield "## Beside Optuna's RDBStorage\n"
    yield (
        "In turns in one run, on the same database server; milliseconds a trial (begun, ten "
        "measurements, finished) and the best of all, for a process that has read none of them.\n"
    )
    rows = [
        [kind, what, cells["effauto"], cells["Optuna"], f"{cells['times_faster']}×"]
        for kind, parts in found.items()
        for what, cells in parts.items()
        if isinstance(cells, dict)
    ]
    yield from _table(["", "", "effauto", "Optuna", "effauto is faster"], rows)
