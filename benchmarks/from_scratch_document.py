"""Write docs/from-scratch-methods.md from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from bench import HERE

DOCUMENT = HERE.parent / "docs" / "from-scratch-methods.md"
RATIOS = {
    "train.cpu_time": "training: processor",
    "train.flops": "training: operations",
    "train.memory": "training: memory",
    "model.parameters": "parameters",
    "inference.flops": "a request: operations",
}
Run = Mapping[str, Any]


def write(
    runs: Sequence[Run],
    curves: Mapping[str, Sequence[Mapping[str, float]]],
    objectives: Sequence[Run] = (),
) -> None:
    """Write what is there."""
    rows = max((run["rows"] for run in runs), default=0)
    seeds = len({run["seed"] for run in runs})
    lines = [
        "# Training from scratch, method by method",
        "",
        "Written by `python benchmarks/from_scratch.py`: a Llama of four layers, 128 wide, on",
        f"{rows:,} rows of 128 pieces of tiny Shakespeare, four passes, one thread of a CPU; every",
        "method alone at its defaults beside untouched training (×1.00), up to "
        f"{seeds} seeds. Bits a byte are",
        "those of the whole test text, the mean and the spread over seeds: fewer are better.",
        "",
        *_table(
            ["method", "seeds", "bits a byte", *RATIOS.values()],
            _trainings([run for run in runs if run["rows"] == rows]),
        ),
    ]
    if objectives:
        lines += ["", *_objectives(objectives)]
    if curves:
        lines += ["", *_curves(curves)]
    DOCUMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _trainings(runs: Sequence[Run]) -> Iterable[list[str]]:
    plain = {run["seed"]: run for run in runs if run["method"] == "untouched"}
    for method in dict.fromkeys(run["method"] for run in runs):
        found = [run for run in runs if run["method"] == method and run["seed"] in plain]
        bits = _spread([run["bits_a_byte"] for run in found])
        ratios = [
            f"×{fmean(run[cost] / plain[run['seed']][cost] for run in found):.2f}"
            for cost in RATIOS
        ]
        yield [method, str(len(found)), bits, *ratios]


def _objectives(runs: Sequence[Run]) -> Iterable[str]:
    rows = max(run["rows"] for run in runs)
    found = [run for run in runs if run["rows"] == rows]
    yield "## What masked language models learn from"
    yield ""
    yield "An encoder of four layers, 128 wide, on"
    yield f"{rows:,} rows of 128 pieces of Wikipedia's text, four passes, one thread: the bits a"
    yield "byte of hidden pieces of the test text (15 %, always the same, behind the mask), what"
    yield "training costs beside untouched training, and the accuracy on the test questions of"
    yield "trec6 once the body is fine-tuned on 2,000 others (six passes). Means and spreads."
    yield ""
    heads = ["learns from", "seeds", "bits a byte", "processor", "operations", "memory", "accuracy"]
    yield from _table(heads, _by_objective(found))
    yield ""


def _by_objective(runs: Sequence[Run]) -> Iterable[list[str]]:
    plain = {run["seed"]: run for run in runs if run["objective"] == "untouched"}
    for name in dict.fromkeys(run["objective"] for run in sorted(runs, key=_untouched_first)):
        found = [run for run in runs if run["objective"] == name and run["seed"] in plain]
        trained = [run for run in found if "bits_a_byte" in run]
        costs = ("train.cpu_time", "train.flops", "train.memory")
        ratios = [[run[cost] / plain[run["seed"]][cost] for run in trained] for cost in costs]
        cells = [f"×{fmean(times):.2f}" if times else "–" for times in ratios]
        bits = _spread([run["bits_a_byte"] for run in trained]) if trained else "–"
        yield [name, str(len(found)), bits, *cells, _spread([run["accuracy"] for run in found])]


def _untouched_first(run: Run) -> bool:
    return bool(run["objective"] != "untouched")


def _spread(values: Sequence[float]) -> str:
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{spread}"


def _curves(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> Iterable[str]:
    yield "## By the length of the text"
    yield ""
    yield "Processor milliseconds of one attention with four heads of 32, forward and backward, on"
    yield "one row, projections left out; the least of three, on one thread."
    yield ""
    names = list(curves)
    lengths = [int(point["tokens"]) for point in curves[names[0]]]
    rows = [
        [f"{tokens:,}", *(f"{1e3 * curves[name][place]['seconds']:.1f}" for name in names)]
        for place, tokens in enumerate(lengths)
    ]
    yield from _table(["pieces", *names], rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
