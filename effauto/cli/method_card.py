"""One method, shown closely: what it declares, and its card."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from effauto.checks.declaration import card_of
from effauto.cli.output import print_table
from effauto.knobs import Choice, Knob
from effauto.method import Method

FACTS = ("requires", "forbids", "provides", "removes")


def show(method: Method, origin: str) -> None:
    """Print the declaration as tables, and the card below."""
    from rich.console import Console
    from rich.markdown import Markdown

    knobs = [(name, str(knob.default), _range(knob)) for name, knob in method.knobs.items()]
    claims = [(e.claim, e.setting, f"{e.source}; {e.checked}") for e in method.evidence]
    print_table((method.name, method.summary), _declared(method, origin))
    for columns, rows in (
        (("Knob", "Default", "Range"), knobs),
        (("Published", "In which setting", "Source; how checked"), claims),
    ):
        if rows:
            print()
            print_table(columns, rows)
    print()
    Console().print(Markdown(_card(method)))


def _declared(method: Method, origin: str) -> list[tuple[str, str]]:
    rows = [
        ("version", f"{method.version}, {origin}"),
        ("stage", method.stage),
        ("slot", method.slot or "none: it goes with any other"),
        *((kind, ", ".join(sorted(getattr(method, kind)))) for kind in FACTS),
        ("before", ", ".join(method.before)),
        ("after", ", ".join(method.after)),
        ("needs", ", ".join(method.needs.named)),
        ("references", "\n".join(method.references)),
    ]
    return [(what, value) for what, value in rows if value]


def _range(knob: Knob) -> str:
    if isinstance(knob, Choice):
        return ", ".join(map(str, knob.options))
    return f"{knob.low:g} … {knob.high:g}{' (log scale)' if knob.log else ''}"


def _card(method: Method) -> str:
    card = card_of(method)
    return card.read_text(encoding="utf-8") if card.is_file() else ""


def as_json(method: Method, origin: str) -> dict[str, Any]:
    """Everything the method declares, and its card as Markdown."""
    return {
        "method": method.name,
        "summary": method.summary,
        "version": method.version,
        "origin": origin,
        "stage": method.stage,
        "slot": method.slot,
        **{kind: sorted(getattr(method, kind)) for kind in FACTS},
        "before": list(method.before),
        "after": list(method.after),
        "needs": asdict(method.needs),
        "knobs": {
            name: {"kind": type(knob).__name__.lower(), **asdict(knob)}
            for name, knob in method.knobs.items()
        },
        "references": list(method.references),
        "evidence": [asdict(claim) for claim in method.evidence],
        "card": _card(method),
    }
