"""``effauto leaks``: rows of a validation or test split that nearly stand in the training split."""

from __future__ import annotations

import json
from typing import Any

import click

SHOWN = 3


@click.command(epilog="Example: effauto leaks --data reviews/ --threshold 0.9")
@click.option("--data", metavar="DATA", help="As for plan; the built-in demo otherwise.")
@click.option("--threshold", type=click.FloatRange(0.5, 1.0), default=0.8, show_default=True)
@click.option("--shingle", type=click.IntRange(2, 9), default=5, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def leaks(data: str | None, threshold: float, shingle: int, form: str) -> None:
    """Report near-duplicates across splits, which make a model look better than it is.

    Rows are compared by the Jaccard similarity of their character shingles. Exact repeats have
    left the judged splits already when data are read.
    """
    from effauto import load_task

    from .duplicates import leaked_rows

    task = load_task(data)
    found: list[dict[str, Any]] = []
    for name, judged in (("validation", task.validation), ("test", task.test)):
        rows = leaked_rows(task.train, judged, threshold, shingle)
        some = [" ␟ ".join(judged.inputs[row]) for row in rows[:SHOWN]]
        found.append({"split": name, "rows": len(judged), "leaked": len(rows), "some": some})
    if form == "json":
        click.echo(json.dumps({"threshold": threshold, "shingle": shingle, "splits": found}))
        return
    for entry in found:
        share = entry["leaked"] / max(1, entry["rows"])
        click.echo(f"{entry['split']}: {entry['leaked']} of {entry['rows']} rows ({share:.1%})")
        for text in entry["some"]:
            click.echo(f"  {text}")
