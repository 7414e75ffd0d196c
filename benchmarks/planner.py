"""The planner beside others, on trials of real tasks: replayed, for real, and what it foretells.

python benchmarks/planner.py replay [--seeds 20]       # against a clock, from measured trials
python benchmarks/planner.py real --data FOLDER        # for real: hours, when quiet
python benchmarks/planner.py judge --data FOLDER       # what that would answer, on test rows
python benchmarks/planner.py instant                   # quality foretold, each task left out
python benchmarks/planner.py tables                    # what was measured, in Markdown
python benchmarks/planner.py curves                    # as SVG; needs matplotlib

Results are lines in ``measured/planner``; what is there is not measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from math import inf
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import replay
import replay_tables
from scipy.stats import spearmanr

from effauto.planner.knowledge.prior import learn_prior
from effauto.plugins import load_plugins

HERE = Path(__file__).resolve().parent
MEASURED = HERE / "measured" / "planner"
TRIALS = sorted((HERE / "measured").glob("trials*.jsonl"))
PICTURES = HERE.parent / "docs" / "pictures"
WARM, COLD, EXPERT = "effauto, warm", "effauto, cold", "expert default"
RIVALS = ("TPE", "NSGA-II", "SMAC", "random")
SEARCHERS = (WARM, COLD, *RIVALS, EXPERT)
POINT = 0.01
PARTS = ("replay", "real", "judge", "instant", "tables", "curves")


def main() -> None:
    """Measure what is missing, or show it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--searchers", nargs="*", default=SEARCHERS, choices=SEARCHERS)
    parser.add_argument("--data", type=Path, help="for real: the folder with the data sets")
    parser.add_argument("--tasks", nargs="*", help="for real: the data sets, by default all")
    parser.add_argument("--minutes", type=float, default=6.0, help="for real: of each search")
    given = parser.parse_args()
    if given.part == "replay":
        replayed(given.seeds, given.searchers)
    elif given.part == "real":
        from real import searched

        searched(_folders(given), given.minutes, min(given.seeds, 2), given.searchers)
    elif given.part == "judge":
        from real_answers import judge

        judge(_folders(given))
    elif given.part == "instant":
        write(MEASURED / "instant.json", instant())
    elif given.part == "curves":
        for name in ("replayed", "real"):
            curves(_measured(name), PICTURES / f"{name}.svg")
    else:
        print(tables())


def _folders(given: argparse.Namespace) -> list[Path]:
    from real import TASKS

    return [given.data / name for name in given.tasks or TASKS]


def replayed(
    seeds: int,
    searchers: Sequence[str],
    files: Sequence[Path] = TRIALS,
    target: Path = MEASURED / "replayed.jsonl",
) -> None:
    """Every searcher on every table, the table's task left out of what is known."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = {(line["searcher"], line["task"], line["seed"]) for line in lines(target)}
    found = replay_tables.tables(files)
    known = {table.name: replay_tables.history(files, table.name) for table in found}
    for seed, table, searcher in product(range(seeds), found, searchers):
        if (searcher, table.name, seed) not in done:
            log = _run(searcher, table, known[table.name], seed).to_json()
            with target.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"searcher": searcher, "seed": seed, **log}) + "\n")


def _run(
    searcher: str, table: replay_tables.Table, known: Sequence[replay_tables.Earlier], seed: int
) -> replay.Log:
    if searcher == WARM:
        return replay.effauto(table, known, seed)
    if searcher == COLD:
        return replay.effauto(table, [], seed)
    if searcher == EXPERT:
        return replay.expert(table)
    return replay.rival(table, searcher, seed)


def instant(files: Sequence[Path] = TRIALS) -> list[dict[str, Any]]:
    """What is foretold of each task's recipes from all other tasks, beside what was measured."""
    methods, found = load_plugins().methods(), []
    for table in replay_tables.tables(files):
        prior = learn_prior(
            replay_tables.history(files, table.name), table.traits, table.fingerprint, methods
        )
        foretold = [prior.quality(candidate) for candidate in table.whole]
        measured = np.array([table.quality(row) for row in table.whole.values()])
        middle = np.array([figure.value for figure in foretold])
        inside = [f.low <= value <= f.high for f, value in zip(foretold, measured, strict=True)]
        found.append(
            {
                "task": table.name,
                "recipes": len(measured),
                "rank": round(float(spearmanr(middle, measured).statistic), 3),
                "within": round(float(np.mean(np.abs(middle - measured) <= POINT)), 3),
                "covered": round(float(np.mean(inside)), 3),
                "lacks": round(float(measured.max() - measured[middle.argmax()]), 4),
            }
        )
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    """All that was measured."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, found: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def tables() -> str:
    """Everything, in Markdown."""
    return "\n\n".join((table_of("replayed"), table_of("real"), instant_table()))


def table_of(name: str) -> str:
    """How far the best found lacks, and the hypervolume, at parts of the clock."""
    found = _measured(name)
    return "\n".join(_rows(found)) if found else f"{name}: not measured yet"


def _measured(name: str) -> list[dict[str, Any]]:
    """The searches of a kind, each with its curves."""
    found = lines(MEASURED / f"{name}.jsonl")
    if name == "real" and found:
        from real_answers import judged

        return judged(found)
    return found


def _rows(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    columns = _columns(found)
    yield f"| searcher | runs | {' | '.join(columns)} |"
    yield f"| --- | --- | {' | '.join('---' for _ in columns)} |"
    for searcher in SEARCHERS:
        ours = [line for line in found if line["searcher"] == searcher]
        if ours:
            cells = (cell(ours) for cell in columns.values())
            yield f"| {searcher} | {len(ours)} | {' | '.join(cells)} |"


def _columns(found: Sequence[dict[str, Any]]) -> dict[str, Callable[[Any], str]]:
    """What stands in each column, from the lines of one searcher."""
    marks = (0.25, 0.5, 1.0)
    columns: dict[str, Callable[[Any], str]] = {
        f"lacks at {mark:.0%}": lambda ours, m=mark: _mean(_at(ours, "lacks", m), 100)
        for mark in marks
    }
    if all(line.get("tested", [None])[-1] is not None for line in found):
        columns["on test rows"] = lambda ours: _mean([line["tested"][-1] for line in ours], 100)
    columns["volume"] = lambda ours: _mean(_at(ours, "volume", 1.0))
    columns["the best rival's end"] = lambda ours: _caught_up(ours, found)
    columns["illegal"] = lambda ours: _share_of_trials(ours, "illegal")
    columns["over budget"] = lambda ours: _share_of_trials(ours, "over")
    if all("overshoot" in line for line in found):
        columns["overshoot"] = lambda ours: f"{max(line['overshoot'] for line in ours):.0%}"
    return columns


def _share_of_trials(ours: Sequence[dict[str, Any]], what: str) -> str:
    tried = sum(line["trials"] + line["illegal"] for line in ours)
    return f"{sum(line[what] for line in ours) / tried:.0%}"


def _caught_up(ours: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> str:
    """When a search of ours has the hypervolume with which the best rival ends: a share of the
    clock, the median over tasks and seeds; and how often it never has.
    """
    if ours[0]["searcher"] not in (WARM, COLD):
        return "–"
    shares = []
    for line in ours:
        rivals = [
            other["volume"][-1]
            for other in found
            if (other["task"], other["seed"]) == (line["task"], line["seed"])
            and other["searcher"] in RIVALS
        ]
        reached = [volume >= max(rivals, default=0.0) for volume in line["volume"]]
        shares.append((reached.index(True) + 1) / len(reached) if any(reached) else inf)
    never = sum(share == inf for share in shares)
    middle = median(shares)
    told = "never" if middle == inf else f"after {middle:.0%}"
    return f"{told}; never in {never} of {len(shares)}"


def _at(found: Iterable[dict[str, Any]], name: str, mark: float) -> list[float]:
    return [line[name][round(mark * len(line[name])) - 1] for line in found]


def _mean(values: Sequence[float], times: float = 1.0) -> str:
    """With the 95 % confidence of the mean over runs."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{times * mean(values):.2f} ± {times * half:.2f}"


def instant_table() -> str:
    """The tasks, and their means."""
    path = MEASURED / "instant.json"
    if not path.exists():
        return "instant: not measured yet"
    found = json.loads(path.read_text(encoding="utf-8"))
    names = ("rank", "within", "covered", "lacks")
    total = {name: mean(line[name] for line in found) for name in names}
    rows = [*found, {"task": "mean", "recipes": sum(line["recipes"] for line in found), **total}]
    head = (
        "| task left out | recipes | rank correlation | within a point | in the 80 % range |"
        " the foretold best lacks |\n| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *map(_instant_row, rows)])


def _instant_row(line: dict[str, Any]) -> str:
    return (
        f"| {line['task']} | {line['recipes']} | {line['rank']:.2f} | {line['within']:.0%} |"
        f" {line['covered']:.0%} | {100 * line['lacks']:.1f} |"
    )


def curves(found: Sequence[dict[str, Any]], target: Path) -> None:
    """Means over tasks and seeds, with their 95 % confidence, over the clock."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "effauto"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4))
    titles = {"lacks": "points of quality lacking", "volume": "hypervolume"}
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for searcher in SEARCHERS:
            ours = np.array([line[name] for line in found if line["searcher"] == searcher])
            if len(ours):
                _draw(axis, searcher, ours * (100 if name == "lacks" else 1))
        axis.set(xlabel="part of the search", ylabel=title)
    axes[0].set(yscale="log")
    axes[1].legend(fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


def _draw(axis: Any, name: str, found: Any) -> None:
    clock = np.arange(1, found.shape[1] + 1) / found.shape[1]
    middle, half = found.mean(axis=0), 1.96 * found.std(axis=0) / len(found) ** 0.5
    axis.plot(clock, middle, label=name)
    axis.fill_between(clock, middle - half, middle + half, alpha=0.15)


if __name__ == "__main__":
    main()
