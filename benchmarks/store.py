"""What the results database takes: at 100,000 trials, under kills, and beside Optuna's storage.

    python benchmarks/store.py scale [--trials 100000]     # queries and imports, both databases
    python benchmarks/store.py kills [--kills 50]          # SIGKILL at random moments of a search
    python benchmarks/store.py optuna [--trials 300]       # insert and list-best beside Optuna
    python benchmarks/store.py --write                     # -> docs/store.md

Each writes ``benchmarks/measured/store.PART.json``. PostgreSQL takes part where its server's
programs are installed. Seconds are of the wall, the median of several rounds; ratios are of the
same run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import create_engine, text
from store_made import lines

from effauto.budget import parse_budget
from effauto.planner.knowledge.known import best_known
from effauto.store import Store, models, open_store
from effauto.store.bundle.importing import add_lines
from effauto.store.filters import Filter
from effauto.store.fronts import pareto
from effauto.store.qualities import qualities
from effauto.store.query import trials

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "store"))
import postgres  # noqa: E402

MEASURED = HERE / "measured"
DOCUMENT = HERE.parent / "docs" / "store.md"
ROUNDS = 5
Seconds = dict[str, float]


def main() -> None:
    """Measure a part, or write the document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", nargs="?", choices=["scale", "kills", "optuna"])
    parser.add_argument("--trials", type=int)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write or given.part is None:
        from store_tables import document

        DOCUMENT.write_text(document(MEASURED), encoding="utf-8")
        return
    found = {}
    for name, url in databases():
        if given.part == "scale":
            found[name] = scale(url, given.trials or 100_000)
        elif given.part == "kills":
            from store_kills import killed

            found[name] = killed(url, given.kills)
        else:
            from store_rivals import beside_optuna

            found[name] = beside_optuna(url, given.trials or 300)
        print(name, json.dumps(found[name], indent=1))
    target = MEASURED / f"store.{given.part}.json"
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def databases() -> Iterator[tuple[str, Callable[[str], str]]]:
    """Each kind of database, and what makes an empty one of a name; it lives until the next."""
    with tempfile.TemporaryDirectory(prefix="effauto-store-") as folder:
        yield "SQLite", lambda name: str(Path(folder) / f"{name}.db")
    if reason := postgres.why_not():
        print(f"PostgreSQL is left out: {reason}", file=sys.stderr)
        return
    with postgres.server() as server:
        yield "PostgreSQL", lambda name: _created(server, name)


def _created(server: str, name: str) -> str:
    admin = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.format(name)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """Without what came with effauto, which is small."""
    store = open_store(url)
    yield Store(store.own)
    store.close()


def scale(url: Callable[[str], str], count: int) -> dict[str, Any]:
    """Import ``count`` trials, then ask what users and the planner ask."""
    made = list(lines(count))
    with opened(url("scale")) as store:
        importing = seconds(lambda: add_lines(store, made, "benchmark"), rounds=1)
        again = seconds(lambda: add_lines(store, made[:1000], "benchmark"), rounds=1)
        with store.own.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
        asked = {name: seconds(ask) for name, ask in _questions(store).items()}
    measurements = sum(len(line.measured) for line in made)
    return {
        "trials": count,
        "measurements": measurements,
        "imported_a_second": round(count / importing),
        "seconds_to_import_what_is_known": round(again, 3),
        "milliseconds": {name: round(1e3 * found, 1) for name, found in asked.items()},
    }


def _questions(store: Store) -> dict[str, Callable[[], Any]]:
    where = parse_budget(["inference.latency<=5ms", "quality.accuracy>=0.85"])
    lora = Filter(task="task-7", method=("lora",), without=("int8-dynamic",), where=where)
    return {
        "list, newest 50": lambda: trials(store, limit=50),
        "list, filtered": lambda: trials(store, lora, limit=50),
        "list, filtered over all tasks": lambda: trials(
            store, Filter(method=("lora",), where=where, state="finished"), limit=50
        ),
        "list, best first": lambda: trials(store, sort="quality.accuracy", limit=50),
        "best of a task": lambda: best_known(store, Filter(task="task-7"), where),
        "pareto of a task": lambda: pareto(
            store, Filter(task="task-7"), "quality.accuracy", "inference.latency"
        ),
        "pareto of everything": lambda: pareto(
            store, Filter(), "quality.accuracy", "inference.latency"
        ),
        "warm start": lambda: qualities(store),
        "failed ones": lambda: trials(store, Filter(state="failed"), limit=50),
    }


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """The median of so many rounds, in wall seconds."""
    found: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return median(found)


def rows(store: Store, table: type[models.Base]) -> int:
    """How many there are."""
    with store.own.reading() as session:
        return session.query(table).count()


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times faster ours is, the median of paired rounds."""
    return median(b / a for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
