"""What each method bought, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from effauto.planner.answers.ablation import Bought, Pair
from effauto.quantities import show
from effauto.resources import SHARES

FORETOLD = "~"


def print_bought(found: Sequence[Bought], console: Console) -> None:
    """Print a line for each method, and how the figures are known."""
    told = [one for one in found if one.figures]
    if told:
        console.print(_table(told))
        console.print(Text(known(told)))
    for one in found:
        if one.reason:
            console.print(Text(f"{one.method}: {one.reason}."))


def _table(told: Sequence[Bought]) -> Table:
    names = list(dict.fromkeys(name for one in told for name in one.figures))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("What it bought", overflow="fold")
    for name in names:
        table.add_column(name.partition(".")[2], justify="right")
    for one in told:
        cells = [cell(name, one.figures[name]) if name in one.figures else "" for name in names]
        table.add_row(one.method, *cells)
    return table


def cell(name: str, pair: Pair) -> str:
    """How a figure changed: in points, or by which factor."""
    mark = "" if pair.measured else FORETOLD
    if name.startswith(SHARES):
        return f"{mark}{_difference(pair)}"
    if pair.without.value <= 0:
        return f"{mark}{show(pair.with_it.value, pair.with_it.unit)}"
    return f"{mark}×{pair.with_it.value / pair.without.value:.2f}"


def _difference(pair: Pair) -> str:
    """In points, with the 80 % range that both ranges leave."""
    widths = [(figure.high - figure.low) / 2 for figure in (pair.with_it, pair.without)]
    spread = 100 * (widths[0] ** 2 + widths[1] ** 2) ** 0.5
    return f"{100 * (pair.with_it.value - pair.without.value):+.1f} ±{spread:.1f}"


def known(told: Sequence[Bought]) -> str:
    """How the figures of what was bought are known."""
    scales = sorted({one.fidelity for one in told if one.fidelity})
    if not scales:
        return (
            f"All of this is foretold ({FORETOLD}); 'effauto explain PLAN --measure TIME' tries it."
        )
    on = " and ".join(f"{scale:.0%}" for scale in scales)
    open_ = any(not pair.measured for one in told for pair in one.figures.values())
    rest = f"; {FORETOLD} is foretold, at full scale" if open_ else ""
    return f"Measured with and without the method on {on} of the data{rest}."
