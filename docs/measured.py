"""What the trials that ship with effauto measured of a method, for its card, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import groupby
from pathlib import Path
from statistics import median, stdev

from effauto import Method
from effauto.knobs import complete
from effauto.model import MINILM
from effauto.plugins import load_plugins
from effauto.resources import QUALITY
from effauto.store import Store
from effauto.store.effects import Effect, Together, effects, together
from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.store.session import open_shipped

REGISTRY = Path(__file__).resolve().parents[1] / "registry.db"
COSTS = {
    "train.time": "training: time",
    "train.flops": "operations",
    "train.memory": "memory",
    "inference.latency": "request: latency",
    "inference.flops": "operations",
    "model.size": "size",
}


def card(method: Method) -> str:
    """The method alone at its defaults beside the untouched model, then together with others."""
    alone = [effect for effect in _effects() if _is_alone(effect, method)]
    pairs = [p for p in together(_effects()) if method.name in _names(p.both)]
    parts = [*_alone(alone), *_together(pairs)] or [*_accompanied(method)]
    return "\n".join(parts or ["No trial that ships with effauto is of this method."])


def overview(methods: Iterable[Method]) -> str:
    """Each method alone, or with what it needs, at its defaults: by data set and by points.

    Seeds count wherever they were trained, each beside the untouched model of its machine.
    """
    found = [(_label(e), e) for method in methods for e in _anywhere(_shown(method))]
    rows = sorted(found, key=lambda row: (row[1].task, -median(row[1].quality), row[0]))
    lines = [*_heading("data, rows", "method", "trainings", "points")]
    for name, effect in rows:
        costs = " | ".join(_ratio(effect.ratios.get(cost)) for cost in COSTS)
        points = f"{100 * median(effect.quality):+.1f}"
        if len(effect.quality) > 1:
            points += f" ± {100 * stdev(effect.quality):.1f}"
        place = f"{effect.task}, {effect.rows:,}"
        lines.append(f"| {place} | {name} | {len(effect.quality)} | {points} | {costs} |")
    return "\n".join(lines)


def _anywhere(found: Iterable[Effect]) -> Iterator[Effect]:
    """One for each task, its rows and methods: seeds of all machines, medians of their ratios."""

    def place(effect: Effect) -> tuple[str, int, str]:
        return effect.task, effect.rows, _label(effect)

    for _, group in groupby(sorted(found, key=place), key=place):
        same = list(group)
        ratios: dict[str, list[float]] = {}
        for name, ratio in (pair for effect in same for pair in effect.ratios.items()):
            ratios.setdefault(name, []).append(ratio)
        yield replace(
            same[0],
            hardware="",
            quality=tuple(points for effect in same for points in effect.quality),
            ratios={name: median(each) for name, each in ratios.items()},
        )


@cache
def _effects() -> list[Effect]:
    store = Store(open_shipped(REGISTRY))
    versions = load_plugins().versions()
    wanted = Filter(model=MINILM, purpose="run", state="finished", versions=versions)
    found = trials(store, wanted)
    store.close()
    return effects(record for record in found if record.fidelity >= 1)


def _names(effect: Effect) -> list[str]:
    return [step.method for step in effect.recipe.steps]


def _label(effect: Effect) -> str:
    return " + ".join(_names(effect))


def _is_alone(effect: Effect, method: Method) -> bool:
    steps = effect.recipe.steps
    defaults = {name: knob.default for name, knob in method.knobs.items()}
    return _names(effect) == [method.name] and complete(method.knobs, steps[0].setting) == defaults


def _alone(found: Iterable[Effect]) -> Iterator[str]:
    found = sorted(found, key=lambda effect: (effect.task, effect.rows, effect.hardware))
    if not found:
        return
    yield "Alone at its defaults on all-MiniLM-L6-v2, beside the untouched fine-tuning of the same"
    yield "rows with the same seeds (×1.00); quality is that of the test split, the untouched one's"
    yield "in brackets, the spread over seeds. A dash: not measured, since other trials ran beside."
    yield ""
    yield from _heading("data, rows, machine", "seeds", "quality")
    yield from map(_row, found)


def _heading(*titles: str) -> Iterator[str]:
    columns = (*titles, *COSTS.values())
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"


def _row(effect: Effect) -> str:
    costs = " | ".join(_ratio(effect.ratios.get(cost)) for cost in COSTS)
    place = f"{effect.task}, {effect.rows:,}, {_machine(effect)}"
    return f"| {place} | {len(effect.quality)} | {_quality(effect)} | {costs} |"


def _shown(method: Method) -> list[Effect]:
    """The method alone at its defaults; if it never was, with one other."""
    alone = [effect for effect in _effects() if _is_alone(effect, method)]
    return alone or _pairs(method)


def _pairs(method: Method) -> list[Effect]:
    """The method with one other, both at their defaults."""
    found = (e for e in _effects() if len(_names(e)) == 2 and method.name in _names(e))
    return [e for e in found if not any(step.values for step in e.recipe.steps)]


def _accompanied(method: Method) -> Iterator[str]:
    """Of a method that cannot be alone: with another, and below it the other alone."""
    shown = [effect for both in _pairs(method) for effect in (both, *_company(both, method))]
    if not shown:
        return
    yield "With another, since it cannot be alone, and below it that other alone; both at their"
    yield "defaults on all-MiniLM-L6-v2, beside the untouched fine-tuning of the same rows with"
    yield "the same seeds (×1.00); quality is that of the test split, the untouched one's in"
    yield "brackets, the spread over seeds. A dash: not measured, since other trials ran beside."
    yield ""
    yield from _heading("methods", "data, rows, machine", "seeds", "quality")
    for effect in shown:
        yield f"| {_label(effect)} {_row(effect)}"


def _company(both: Effect, method: Method) -> Iterator[Effect]:
    """What the other method of the two did alone to the same rows, on whichever machine."""
    rest = tuple(step for step in both.recipe.steps if step.method != method.name)
    for effect in _effects():
        if (effect.task, effect.rows, effect.recipe.steps) == (both.task, both.rows, rest):
            yield effect


def _together(pairs: Iterable[Together]) -> Iterator[str]:
    pairs = sorted(pairs, key=lambda pair: (pair.both.task, str(pair.both.recipe)))
    if not pairs:
        return
    yield ""
    yield "Together with another, and in brackets the product of what each did alone (of points of"
    yield "quality, the sum):"
    yield ""
    yield from _heading("together", "data", "seeds", "points")
    for pair in pairs:
        both, seen = pair.both, pair.to_json()
        costs = (f"{_ratio(both.ratios.get(c))} ({_ratio(pair.expected(c))})" for c in COSTS)
        points = f"{100 * seen['quality']:+.1f} ({100 * seen['expected_quality']:+.1f})"
        yield f"| {_label(both)} | {both.task} | {seen['seeds']} | {points} | {' | '.join(costs)} |"


def _machine(effect: Effect) -> str:
    return effect.hardware.partition(" (")[0].replace("|", "/")


def _quality(effect: Effect) -> str:
    name = next(name for name in effect.values if name.startswith(QUALITY))
    spread = f" ± {stdev(effect.quality):.3f}" if len(effect.quality) > 1 else ""
    return f"{effect.values[name]:.3f}{spread} ({effect.untouched[name]:.3f})"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"×{value:.2f}"
