"""What each method does to the costs of a plain fine-tuning, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from effauto.cli.output import print_json, print_table
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


def show_matrix(
    methods: Mapping[str, Method],
    model: str,
    hardware: Hardware,
    form: str,
    pairs: Sequence[Together] = (),
) -> None:
    """Print each method's stage, slot, foretold effect and whether it runs here; then ``pairs``."""
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
        "ratios": ratios if acts else {},
        "runs_here": bool(verdict),
        "reason": verdict.reason,
    }


def _print(rows: Sequence[Mapping[str, Any]]) -> None:
    """One table, its rows grouped by stage; only the slot's name may be folded."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Method", no_wrap=True)
    table.add_column("Slot", overflow="fold")
    for title in COSTS.values():
        table.add_column(title, no_wrap=True, justify="right")
    for stage, group in groupby(rows, key=lambda row: row["stage"]):
        table.add_row(Text(stage.upper(), style="bold"))
        for row in group:
            ratios = [_ratio(row["ratios"].get(name, 1.0)) for name in COSTS]
            missing = "" if row["runs_here"] else " *"
            table.add_row(row["method"] + missing, row["slot"] or "", *ratios)
    console = Console()
    console.print(table)
    for row in rows:
        if not row["runs_here"]:
            console.print(Text(f"* {row['method']} does not run here: it {row['reason']}"))


def _print_pairs(pairs: Sequence[Together]) -> None:
    """What two methods did together, and in brackets what they would do if apart."""
    if not pairs:
        return
    rows = []
    for pair in pairs:
        seen = pair.to_json()
        cells = [_beside(seen["ratios"].get(c), seen["expected"].get(c)) for c in MEASURED]
        quality = f"{100 * seen['quality']:+.1f} ({100 * seen['expected_quality']:+.1f})"
        rows.append((" + ".join(seen["methods"]), seen["task"], *cells, quality))
    titles = ("Measured together", "Task", *MEASURED.values(), "Points")
    print()
    print_table(titles, rows)
    print("In brackets: the product of what each did alone; of points, the sum.")


def _beside(ratio: float | None, expected: float | None) -> str:
    if ratio is None:
        return "–"
    return f"×{ratio:.2f}" + ("" if expected is None else f" (×{expected:.2f})")


def _ratio(ratio: float) -> str:
    return f"×{ratio:.2f}" if abs(ratio - 1) >= VISIBLE else ""
