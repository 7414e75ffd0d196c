"""Comparisons of recipes, effects of methods and counts, as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from effauto.quantities import show
from effauto.report.trials import printable
from effauto.store.comparison import Comparison, Difference
from effauto.store.marginal import Marginal
from effauto.store.statistics import Statistics

COLUMNS = ("Resource", "A", "B", "B against A", "80 % range", "B better")
# Beside quality, what a method's effect is told of.
EFFECTS = ("train.time", "train.memory", "inference.latency", "model.size")
TITLES = {"train.time": "Train", "train.memory": "Memory", "inference.latency": "Latency",
          "model.size": "Size"}  # fmt: skip
COUNTS = ("trials", "tasks", "models", "machines", "methods", "studies", "measurements", "claims")


def heading(found: Comparison) -> list[str]:
    """Who A and B are, and how many seeds pair them."""
    pairs = len(found.a)
    paired = f"paired by {pairs} seeds" if pairs > 1 else "one trial each: ranges are those of each"
    sides = (("A", found.a[0]), ("B", found.b[0]))
    return [
        *(printable(f"{name}: {r.model.name}: {r.recipe} ({r.id})") for name, r in sides),
        printable(f"on {found.a[0].task}, {paired}"),
    ]


def row(difference: Difference) -> tuple[str, ...]:
    """The cells of a resource."""
    numbers = (difference.change, difference.low, difference.high)
    change, low, high = (_change(x, points=difference.in_points) for x in numbers)
    return (
        difference.resource,
        show(difference.a, difference.unit),
        show(difference.b, difference.unit),
        change,
        f"{low} … {high}".replace(" points", "").replace("×", ""),
        f"{difference.better:.0%}",
    )


def effect_titles(qualities: Sequence[str]) -> list[str]:
    """Of the table of methods; a metric is named if there are several."""
    named = ["Points"] if len(qualities) == 1 else [q.partition(".")[2] for q in qualities]
    return ["Method", *named, *(TITLES[name] for name in EFFECTS), "Pairs"]


def effect_row(
    name: str, found: Mapping[str, Marginal], qualities: Sequence[str]
) -> tuple[str, ...]:
    """The medians; of shares also half the width of the middle half."""
    cells = [_effect(found.get(resource)) for resource in (*qualities, *EFFECTS)]
    pairs = max(marginal.pairs for marginal in found.values())
    return (printable(name), *cells, str(pairs))


def counted(found: Sequence[Statistics]) -> list[tuple[str, ...]]:
    """A row for each thing that is counted."""

    def count(one: Statistics, name: str) -> int:
        return one.trials if name == "trials" else one.counts[name]

    rows = [(name, *(f"{count(one, name):,}" for one in found)) for name in COUNTS]
    for kind in ("states", "purposes"):
        names = sorted({name for one in found for name in getattr(one, kind)})
        rows += [(name, *(f"{getattr(o, kind).get(name, 0):,}" for o in found)) for name in names]
    rows.append(("measured for", *(show(one.seconds, "s") for one in found)))
    rows.append(("newest", *(f"{one.last:%Y-%m-%d}" if one.last else "" for one in found)))
    rows.append(("database", *(printable(one.name) for one in found)))
    return rows


def _effect(marginal: Marginal | None) -> str:
    if marginal is None:
        return ""
    if not marginal.in_points:
        return f"×{marginal.change:.2g}"
    half = 50 * (marginal.upper - marginal.lower)
    return f"{100 * marginal.change:+.1f}" + (f" ± {half:.1f}" if marginal.pairs > 1 else "")


def _change(value: float, *, points: bool) -> str:
    return f"{100 * value:+.1f} points" if points else f"×{value:.3g}"
