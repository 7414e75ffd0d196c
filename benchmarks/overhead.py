"""What asking costs: CPU seconds of ``effauto.Search`` in effauto's own space.

python benchmarks/overhead.py       # -> measured/planner/overhead.json
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import planner
import replay_tables

from effauto import Search
from effauto.planner.candidates.drawing import Draws
from effauto.planner.engine.history import key

SIZES = (10, 50, 100, 200, 500)
ASKS = 60
TARGET = Path(__file__).resolve().parent / "measured" / "planner" / "overhead.json"


def main() -> None:
    """Measure, write, print."""
    situation, space = replay_tables.understood(replay_tables.tables(planner.TRIALS)[0], [], 0)
    oracle = situation.oracle

    known: dict[bytes, Any] = {}

    def candidate(configuration: Any) -> Any:
        """As effauto's own strategy remembers them."""
        name = key(configuration)
        if name not in known:
            known[name] = space.candidate(configuration)
        return known[name]

    def legal(configuration: Any) -> bool:
        return oracle.composition(candidate(configuration)).legal

    def foretell(configuration: Any) -> dict[str, float]:
        found = candidate(configuration)
        figures = oracle.foretell(found) if oracle.composition(found).legal else {}
        return {"model.size": figures["model.size"].value} if figures else {}

    def fresh(seed: int) -> Search:
        limits, draw = {"model.size": 2e7}, Draws(space, oracle, seed)
        return Search(space.configspace, ("error",), limits, seed, foretell=foretell, draw=draw)

    generator, found = np.random.default_rng(0), {}

    def tell(search: Search, configuration: Any) -> None:
        size = float(generator.lognormal(17, 1))
        search.tell(configuration, {"error": float(generator.random()), "model.size": size})

    for size in SIZES:
        search = fresh(size)
        for configuration in Draws(space, oracle, 1)(size):
            tell(search, configuration)
        search.ask(legal)  # what is only done once
        found[str(size)] = round(_seconds(lambda s=search: [s.ask(legal) for _ in range(5)]) / 5, 3)
    search = fresh(1)

    def asked() -> None:
        for _ in range(ASKS):
            tell(search, search.ask(legal))

    found[f"{ASKS} asks"] = round(_seconds(asked), 1)
    found["columns"] = len(space.configspace)
    TARGET.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table())


def _seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def table() -> str:
    """In Markdown."""
    found = json.loads(TARGET.read_text(encoding="utf-8"))
    sizes = [str(size) for size in SIZES]
    return "\n".join(
        (
            f"| results told | {' | '.join(sizes)} | first {ASKS} asks together |",
            f"| --- | {' | '.join('---' for _ in sizes)} | --- |",
            f"| CPU s an ask | {' | '.join(str(found[s]) for s in sizes)} | {found['60 asks']} |",
        )
    )


if __name__ == "__main__":
    main()
