"""What each method does to the costs of a plain fine-tuning, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from effauto.cli.output import print_json
from effauto.cost import estimate
from effauto.knobs import complete
from effauto.machine import Hardware
from effauto.method import STAGES, Method
from effauto.model import find_model
from effauto.resources import Figures
from effauto.traits import TaskTraits
from effauto.workload import Workload

if TYPE_CHECKING:
    from effauto.store.effects import Together

# Two thousand short texts: the size of task that the built-in demo and many first trials have.
SAMPLE = TaskTraits("text-classification", "accuracy", 2000, 6, 24.0, 48.0, 96.0, 0.05, 0.3)
COSTS = {
    "train.labels": "Labels",
    "train.time": "Time",
    "train.memory": "Memory",
    "inference.latency": "Latency",
    "model.size": "Size",
}
MEASURED = {
    "train.time": "Time",
    "train.memory": "Memory",
    "inference.latency": "Latency",
    "model.size": "Size",
}
# A change of less is not worth the reader's eye.
VISIBLE = 0.02
SLOT = 15  # characters: so that the table fits a terminal of 80 columns


def show_matrix(
    methods: Mapping[str, Method],
    model: str,
    hardware: Hardware,
    form: str,
    pairs: Sequence[Together] = (),
) -> None:
    """Print each method's slot, foretold effect, needs, whether it runs here; then ``pairs``."""
    traits = find_model(model).traits
    untouched = Workload.untouched(SAMPLE, traits)
    plain = estimate(untouched, hardware)
    ordered = sorted(methods.values(), key=lambda m: (STAGES.index(m.stage), m.name))
    rows = []
    for method in ordered:
        acts = method.requires <= traits.facts | _provided(methods)
        work = method.cost(untouched, complete(method.knobs, {})) if acts else untouched
        rows.append(_entry(method, estimate(work, hardware), plain, hardware, acts))
    if form == "json":
        measured = [pair.to_json() for pair in pairs]
        print_json(
            {
                "model": model,
                "task": SAMPLE.to_json(),
                "methods": rows,
                "measured_together": measured,
            }
        )
    else:
        _print(rows)
        _print_pairs(pairs)


def _provided(methods: Mapping[str, Method]) -> frozenset[str]:
    return frozenset[str]().union(*(method.provides for method in methods.values()))


def _entry(
    method: Method, foretold: Figures, plain: Figures, hardware: Hardware, acts: bool
) -> dict[str, Any]:
    verdict = method.needs.met(hardware)
    ratios = {name: foretold[name].value / plain[name].value for name in COSTS}
    return {
        "method": method.name,
        "stage": method.stage,
        "slot": method.slot,
        "needs": list(method.needs.named),
        "ratios": ratios if acts else {},
        "runs_here": bool(verdict),
        "reason": verdict.reason,
    }


def _print(rows: Sequence[Mapping[str, Any]]) -> None:
    """One table, its rows grouped by stage; then what some of the methods need or lack."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    table.add_column("Method", no_wrap=True)
    table.add_column("Slot", no_wrap=True, max_width=SLOT)
    for title in COSTS.values():
        table.add_column(title, no_wrap=True, justify="right")
    for stage, group in groupby(rows, key=lambda row: row["stage"]):
        table.add_row(Text(stage.upper(), style="bold"))
        for row in group:
            missing = "" if row["runs_here"] else " *"
            table.add_row(row["method"] + missing, row["slot"] or "", *_cells(row["ratios"]))
    console = Console()
    console.print(table)
    for line in _notes(rows):
        console.print(Text(line))


def _cells(ratios: Mapping[str, float]) -> list[str]:
    return [_ratio(ratios[name]) if ratios else "–" for name in COSTS]


def _notes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the table has no room for: what is needed, and what does not run here and why."""
    if not all(row["ratios"] for row in rows):
        yield "–: for other models or tasks; 'effauto methods show NAME' says for which."
    needing: dict[str, list[str]] = {}
    for row in rows:
        for need in row["needs"]:
            needing.setdefault(need, []).append(row["method"])
    for need, names in needing.items():
        yield f"Needs {need}: {', '.join(names)}."
    for row in rows:
        if not row["runs_here"]:
            yield f"* {row['method']} does not run here: it {row['reason']}."


def _print_pairs(pairs: Sequence[Together]) -> None:
    """What two methods did together, and behind the stroke what they would do if apart."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    if not pairs:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=0)
    table.add_column("Measured together", no_wrap=True)
    for title in (*MEASURED.values(), "Points"):
        table.add_column(title, no_wrap=True, justify="right")
    for pair in pairs:
        seen = pair.to_json()
        cells = [_beside(seen["ratios"].get(c), seen["expected"].get(c)) for c in MEASURED]
        points = f"{100 * seen['quality']:+.1f}/{100 * seen['expected_quality']:+.1f}"
        table.add_row(" +\n".join(seen["methods"]), *cells, points)
    print()
    Console().print(table)
    places = sorted({f"{pair.both.task} ({pair.both.rows:,} rows)" for pair in pairs})
    print(f"On {', '.join(places)}, as shares of the untouched model's.")
    print("Behind the stroke: the product of what each did alone; of points, the sum.")


def _beside(ratio: float | None, expected: float | None) -> str:
    if ratio is None:
        return "–"
    return f"{ratio:.2f}" + ("" if expected is None else f"/{expected:.2f}")


def _ratio(ratio: float) -> str:
    return f"×{ratio:.2f}" if abs(ratio - 1) >= VISIBLE else ""
