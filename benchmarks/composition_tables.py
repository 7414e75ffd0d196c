"""What ``composition.py`` found, as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from composition_cases import LAYERS, TRAIN_ROWS, UNTRAINED, WIDTH

Row = Mapping[str, Any]
# What a recipe costs; the size is that of a folder, which also names the recipe.
COSTS = {"model.size": 2000.0, "model.parameters": 0.0, "train.flops": 0.0, "inference.flops": 0.0}


def broken(rows: Iterable[Row]) -> list[Row]:
    """Legal by the verdict, and failed."""
    return [row for row in rows if not row["refused"] and "error" in row]


def useless(rows: Iterable[Row]) -> list[Row]:
    """Refused, and when forced no cheaper in any figure than one method alone or none at all.

    A method alone stands at its defaults, or, where the other has a knob of the same name, at its.
    """
    rows = list(rows)
    return [row for row in rows if row["refused"] and "error" not in row and _vain(row, rows)]


def wrongly_refused(rows: Iterable[Row]) -> list[Row]:
    """Refused, and when forced they ran and saved something that neither method saves alone."""
    rows = list(rows)
    vain = useless(rows)
    return [r for r in rows if r["refused"] and "error" not in r and r not in vain]


def _vain(row: Row, rows: Iterable[Row]) -> bool:
    return any(
        set(other["methods"]) < set(row["methods"])
        and other["kind"] == row["kind"]
        and not other["refused"]
        and "measured" in other
        and all(other["measured"][c] <= row["measured"][c] * (1 + 1e-6) + COSTS[c] for c in COSTS)
        for other in rows
    )


def document(rows: list[dict[str, Any]]) -> Iterator[str]:
    legal = [row for row in rows if not row["refused"]]
    failed, wrongly = broken(rows), wrongly_refused(rows)
    yield "# Composition"
    yield ""
    yield "Written by `python benchmarks/composition.py`: combinations of methods carried out end"
    yield f"to end on a corner of the default model ({LAYERS} layers, {WIDTH} wide) and"
    yield f"{TRAIN_ROWS} rows, or, of what is trained from scratch, on a Llama or an encoder of"
    yield f"{UNTRAINED.layers} layers, {UNTRAINED.width} wide, and as many rows of text; each"
    yield "trained, saved, reloaded in a fresh process and asked."
    yield ""
    yield "| | run | failed |"
    yield "|---|---|---|"
    legal = [row for row in legal if row["methods"]]  # not the untouched models
    sizes = Counter(len(row["methods"]) for row in legal)
    for size, name in ((1, "alone"), (2, "pairs"), (3, "triples")):
        count = sum(len(row["methods"]) == size for row in failed)
        yield f"| legal, {name} | {sizes[size]} | {count} |"
    yield ""
    if legal:
        yield from _verdict(rows, len(legal), len(failed), len(wrongly))
    for title, found in (("Legal, and failed", failed), ("Refused, and ran", wrongly)):
        if found:
            yield ""
            yield f"## {title}"
            yield ""
            for row in found:
                yield f"- {' + '.join(row['methods'])}: {row.get('error') or row['refused']}"


def _verdict(rows: list[dict[str, Any]], legal: int, failed: int, wrongly: int) -> Iterator[str]:
    forced = [row for row in rows if row["refused"]]
    died = sum("error" in row for row in forced)
    good = legal - failed
    yield f"Of what is called legal {good / legal:.4f} runs (precision). Of {len(forced)} refused"
    yield f"pairs that were forced, {died} failed, {len(useless(rows))} cost no less in any figure"
    yield "(bytes, parameters, operations of training and of a request) than one of the two methods"
    yield f"alone or the untouched model, and {wrongly} ran and saved something: the verdict finds"
    yield f"{good / max(1, good + wrongly):.4f} of what runs in this sample (recall)."
