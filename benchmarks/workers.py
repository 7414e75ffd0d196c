"""How many more trials several workers run in the same time, and whether they find the same.

Needs a core for each worker, and nothing else to run meanwhile. Each search begins with an empty
database, as the shipped one would let both know the answer. The load of the machine at the start
is noted beside the figures: above a process or so a core, they say little.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "measured" / "workers.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--model", default="bag-of-words")
    parser.add_argument("--data", default="demo")
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    for workers in given.workers:
        one = _search(workers, given)
        found.append(one)
        one["times"] = round(_rate(one) / _rate(found[0]), 2)
        print(
            f"{one['workers']} workers: {one['trials']} trials ({one['failed']} failed) in "
            f"{one['seconds']:.0f} s, ×{one['times']}; quality {one['quality']:.3f} "
            f"({one['low']:.3f} to {one['high']:.3f})",
            flush=True,
        )
    MEASURED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def _rate(one: dict[str, Any]) -> float:
    """Trials a second: a search that has tried all that it may ends before its time."""
    return float(one["trials"] / one["seconds"])


def _search(workers: int, given: argparse.Namespace) -> dict[str, Any]:
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "effauto", "plan", given.data, "--model", given.model),
            *("--search-time", f"{given.seconds}s", "--workers", str(workers)),
            *("--db", f"{folder}/results.db", "--format", "json"),
        ]
        environment = os.environ | {"EFFAUTO_REGISTRY": ""}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    plan = json.loads(run.stdout)
    quality = plan["measurement"][f"quality.{plan['task']['metric']}"]
    return {
        "workers": workers,
        "load_before": load,
        "model": given.model,
        "data": given.data,
        "hardware": plan["hardware"]["name"],
        "threads": plan["hardware"]["threads"],
        **{name: plan["search"][name] for name in ("trials", "failed", "seconds")},
        **{name: quality[name] for name in ("low", "high")},
        "quality": quality["value"],
    }


if __name__ == "__main__":
    sys.exit(main())
