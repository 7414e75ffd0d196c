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


def write(runs: Sequence[Run], curves: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
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
    if curves:
        lines += ["", *_curves(curves)]
    DOCUMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _trainings(runs: Sequence[Run]) -> Iterable[list[str]]:
    plain = {run["seed"]: run for run in runs if run["method"] == "untouched"}
    for method in dict.fromkeys(run["method"] for run in runs):
        found = [run for run in runs if run["method"] == method and run["seed"] in plain]
        bits = [run["bits_a_byte"] for run in found]
        spread = f" ± {stdev(bits):.3f}" if len(bits) > 1 else ""
        ratios = [
            f"×{fmean(run[cost] / plain[run['seed']][cost] for run in found):.2f}"
            for cost in RATIOS
        ]
        yield [method, str(len(found)), f"{fmean(bits):.3f}{spread}", *ratios]


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
