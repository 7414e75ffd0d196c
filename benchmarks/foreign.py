"""The search alone beside others, on problems it was not made for: YAHPO's lcbench and xgboost.

python benchmarks/foreign.py --data FOLDER          # measure, then the tables
python benchmarks/foreign.py                        # only the tables

Each line of ``measured/planner/foreign.jsonl`` is one searcher, instance and seed; what is there
is not measured again. Settings of effauto's search were chosen on TUNED, none of which is judged.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from rivals import MAKERS
from yahpo import Surrogate, hypervolume, regret

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured" / "planner" / "foreign.jsonl"
JUDGED = {
    "lcbench": ("167168", "189873", "126026", "168330"),
    "rbv2_xgboost": ("12", "1501", "28", "40981"),
}
TUNED = {
    "lcbench": ("3945", "34539", "146212", "189906"),
    "rbv2_xgboost": ("40900", "458", "1489", "181"),
}
SLOW = "SMAC"
SEARCHERS = ("effauto", "TPE", "NSGA-II", "random", SLOW)
MARKS = (25, 50, 100)
GOALS = {"single": ("error",), "pair": ("error", "cost")}


def main() -> None:
    """Measure what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder with both surrogates")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--slow-seeds", type=int, default=3, help="of SMAC's facade")
    parser.add_argument("--searchers", nargs="*", default=SEARCHERS, choices=SEARCHERS)
    given = parser.parse_args()
    if given.data:
        seeds = dict.fromkeys(given.searchers, given.seeds)
        measure(given.data, seeds | ({SLOW: given.slow_seeds} if SLOW in seeds else {}))
    print(tables())


def measure(folder: Path, seeds: Mapping[str, int], target: Path = MEASURED) -> None:
    """Run and note every combination that is not there yet: so many seeds of each searcher."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = {_name(line) for line in lines(target)}
    surrogates = [Surrogate(folder, s, i) for s, found in JUDGED.items() for i in found]
    for seed, searcher, goal in product(range(max(seeds.values())), seeds, GOALS):
        if seed < seeds[searcher]:
            for surrogate in surrogates:
                if (searcher, goal, surrogate.name, seed) not in done:
                    found = run(surrogate, searcher, goal, seed)
                    with target.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(found) + "\n")


def run(surrogate: Surrogate, searcher: str, goal: str, seed: int) -> dict[str, Any]:
    """One search: what it had found at each of MARKS, and the CPU seconds of asking and telling."""
    goals, space = GOALS[goal], surrogate.space(seed)
    made = MAKERS[searcher](space, seed, goals, (), max(MARKS))
    points, seconds = [], 0.0
    for _ in range(max(MARKS)):
        start = time.process_time()
        asked = made.ask()
        seconds += time.process_time() - start
        points.append(surrogate.measure([asked])[0])
        start = time.process_time()
        made.tell(asked, points[-1][: len(goals)], {})
        seconds += time.process_time() - start
    found = {str(mark): _score(surrogate, goal, np.array(points[:mark])) for mark in MARKS}
    return {"searcher": searcher, "goal": goal, "instance": surrogate.name, "seed": seed,
            "found": found, "cpu_seconds": round(seconds, 2)}  # fmt: skip


def _score(surrogate: Surrogate, goal: str, points: Any) -> float:
    if goal == "pair":
        return hypervolume(points, surrogate.drawn)
    return regret(points[:, 0], surrogate.drawn[:, 0])


def lines(target: Path = MEASURED) -> list[dict[str, Any]]:
    """All that was measured."""
    if not target.exists():
        return []
    return [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]


def _name(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["searcher"], line["goal"], line["instance"], line["seed"]


def tables(target: Path = MEASURED) -> str:
    """The means over instances and seeds, in Markdown, and instance by instance at the end.

    Only seeds with which a searcher was run on every instance count.
    """
    found = _whole(lines(target))
    return "\n".join([*_means(found, "single"), "", *_means(found, "pair"), "", *_each(found)])


def _whole(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    runs = Counter((line["searcher"], line["goal"], line["seed"]) for line in found)
    everywhere = sum(map(len, JUDGED.values()))
    return [
        line for line in found if runs[line["searcher"], line["goal"], line["seed"]] == everywhere
    ]


def _means(found: Sequence[dict[str, Any]], goal: str) -> Iterator[str]:
    word, better = ("regret", "less") if goal == "single" else ("hypervolume", "more")
    head = f"mean {word} ({better} is better)"
    yield f"| {head} | seeds | {' | '.join(f'{mark} evaluations' for mark in MARKS)} | CPU s |"
    yield f"| --- | --- | {' | '.join('---' for _ in MARKS)} | --- |"
    for searcher in SEARCHERS:
        ours = [line for line in found if line["searcher"] == searcher and line["goal"] == goal]
        if ours:
            cells = [_mean([line["found"][str(mark)] for line in ours]) for mark in MARKS]
            seeds = len({line["seed"] for line in ours})
            seconds = mean(line["cpu_seconds"] for line in ours)
            yield f"| {searcher} | {seeds} | {' | '.join(cells)} | {seconds:.1f} |"


def _mean(values: Sequence[float]) -> str:
    """With the 95 % confidence of the mean over all runs."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{mean(values):.3f} ± {half:.3f}"


def _each(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    mark = MARKS[-1]
    yield f"| instance, after {mark} | {' | '.join(SEARCHERS)} |"
    yield f"| --- | {' | '.join('---' for _ in SEARCHERS)} |"
    for goal in GOALS:
        for name in dict.fromkeys(line["instance"] for line in found if line["goal"] == goal):
            cells = []
            for searcher in SEARCHERS:
                values = [
                    line["found"][str(mark)]
                    for line in found
                    if (line["searcher"], line["goal"], line["instance"]) == (searcher, goal, name)
                ]
                cells.append(f"{mean(values):.3f}" if values else "")
            word = "regret" if goal == "single" else "hypervolume"
            yield f"| {name}, {word} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
