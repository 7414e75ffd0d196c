"""Build ``registry.db``, the knowledge that ships with effauto, from measured trials.

python benchmarks/registry.py --collect [STORE …]   # results of benchmarks -> trials.jsonl
python benchmarks/registry.py                       # trials.jsonl -> registry.db
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from effauto.machine import Hardware
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.store import MethodVersion, Situation, models
from effauto.store.record import Store
from effauto.store.session import open_database
from effauto.traits import ModelTraits, TaskTraits

HERE = Path(__file__).resolve().parent
TRIALS = HERE / "measured" / "trials.jsonl"
STORES = tuple(
    HERE / "measured" / f"{name}.db" for name in ("results", "campaign", "interactions", "costs")
)
REGISTRY = HERE.parent / "registry.db"


def main() -> None:
    """Collect, or build."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--collect", nargs="*", type=Path, metavar="STORE", help="only write trials.jsonl"
    )
    stores = parser.parse_args().collect
    if stores is None:
        build()
    else:
        collect(stores or [path for path in STORES if path.exists()])


def collect(stores: Iterable[Path]) -> None:
    """Add the finished trials of the benchmarks' stores to ``trials.jsonl``, each once."""
    lines = {line for path in stores for line in _lines(path)}
    if TRIALS.exists():
        lines |= set(TRIALS.read_text(encoding="utf-8").splitlines())
    TRIALS.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    print(f"{len(lines)} trials in {TRIALS}")


def _lines(path: Path) -> set[str]:
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    store, hardware = Store(open_database(path, create=False)), _machines(path)
    found = trials(store, Filter(state="finished"))
    store.close()
    return {json.dumps(_line(record, hardware), sort_keys=True) for record in found}


def _machines(path: Path) -> dict[str, Any]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("select name, details from hardware").fetchall()
    return {name: json.loads(details) for name, details in rows}


def _line(record: Any, hardware: dict[str, Any]) -> dict[str, Any]:
    return record.to_json() | {
        "id": "", "study": None, "artefacts": [],
        "model_traits": record.model.to_json(), "machine": hardware[record.hardware],
    }  # fmt: skip


def build(target: Path = REGISTRY, without: str = "") -> None:
    """Write the registry anew; ``without`` one task, to plan for it as for one never seen."""
    entries = [json.loads(line) for line in TRIALS.read_text(encoding="utf-8").splitlines()]
    entries = [entry for entry in entries if entry["task"]["name"] != without]
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "registry.db"
        store = Store(open_database(fresh, create=True))
        for entry in sorted(entries, key=lambda entry: entry["started_at"]):
            _add(store, entry)
        _add_claims(store)
        store.close()
        with sqlite3.connect(fresh) as connection:  # one plain file, to be opened read-only
            connection.execute("pragma journal_mode = delete")
            connection.execute("vacuum")
        target.write_bytes(fresh.read_bytes())
    print(f"{len(entries)} trials in {target}, {target.stat().st_size / 1024:.0f} KiB")


def _add(store: Store, entry: dict[str, Any]) -> None:
    task = entry["task"]
    situation = Situation(
        task["name"],
        task["fingerprint"],
        TaskTraits.from_json(task),
        ModelTraits.from_json(entry["model_traits"]),
        Hardware.from_json(entry["machine"]),
    )
    trial = store.begin_trial(
        Recipe.from_json(entry["recipe"]),
        situation,
        purpose=entry["purpose"],  # a run was judged on the test split
        seed=entry["seed"],
        fidelity=entry["fidelity"],
        foretold=_figures(entry["estimate"]),
        methods={name: MethodVersion(**found) for name, found in entry["methods"].items()},
    )
    store.finish_trial(trial, _figures(entry["measurement"]))
    with store.own.writing() as session:  # when and with what it ran, not when it was copied
        row = session.get_one(models.Trial, trial)
        row.started_at = datetime.fromisoformat(entry["started_at"])
        row.finished_at = datetime.fromisoformat(entry["finished_at"])
        row.seconds = entry["seconds"]
        row.versions = entry["versions"]


def _add_claims(store: Store) -> None:
    """What was published of each bundled method, as its declaration has it."""
    with store.own.writing() as session:
        for method in load_plugins().methods().values():
            for found in method.evidence:
                session.add(
                    models.Claim(
                        method=method.name,
                        text=found.claim,
                        source=found.source,
                        setting=found.setting,
                        checked=found.checked,
                    )
                )


def _figures(entries: dict[str, Any]) -> dict[str, Figure]:
    return {name: Figure.from_json(figure) for name, figure in entries.items()}


if __name__ == "__main__":
    main()
