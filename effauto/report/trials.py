"""Trials as rows of a table or of a CSV file, and one trial closely."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from effauto.errors import BudgetError, InputError, OutputError
from effauto.quantities import show
from effauto.resources import QUALITY, RESOURCES, Figure, resource_named
from effauto.store import MethodVersion, TrialRecord

ESTIMATE = "estimate."
MARKUP = frozenset("|<>&*_`[]\\")
# What makes a spreadsheet take a text for a formula.
FORMULA = tuple("=+-@\t\r")
TITLES = {
    "inference.latency": "Latency",
    "model.size": "Size",
    "train.time": "Train",
    "started_at": "Started",
    "fidelity": "Share",
    "candidate": "Model: recipe",
}

PLAIN: Mapping[str, Callable[[TrialRecord], Any]] = {
    "id": lambda record: record.id,
    "origin": lambda record: record.origin,
    "study": lambda record: record.study,
    "task": lambda record: record.task,
    "fingerprint": lambda record: record.fingerprint,
    "model": lambda record: record.model.name,
    "hardware": lambda record: record.hardware,
    "recipe": lambda record: str(record.recipe),
    "candidate": lambda record: f"{record.model.name}: {record.recipe}",
    "quality": lambda record: record.value(QUALITY + record.task_traits.metric),
    "fidelity": lambda record: record.fidelity,
    "seed": lambda record: record.seed,
    "purpose": lambda record: record.purpose,
    "state": lambda record: record.state,
    "error": lambda record: record.error,
    "started_at": lambda record: record.started_at.isoformat(timespec="seconds"),
    "seconds": lambda record: record.seconds,
    "setting": lambda record: str(record.setting),
    "source": lambda record: record.source,
}


def check_columns(columns: Sequence[str]) -> Sequence[str]:
    """Return ``columns``; raise InputError, listing what there is, if one is unknown."""
    for column in columns:
        try:
            if column not in PLAIN:
                resource_named(column.removeprefix(ESTIMATE))
        except BudgetError:
            known = ", ".join([*PLAIN, *RESOURCES])
            raise InputError(
                f"{column!r} is no column. Known: {known}, quality.<metric>;"
                f" what was foretold is {ESTIMATE}<resource>"
            ) from None
    return columns


def usual_columns(records: Sequence[TrialRecord]) -> list[str]:
    """What fits a terminal; task and fidelity only where they tell trials apart."""
    columns = ["id"]
    columns += ["task"] if len({record.task for record in records}) > 1 else []
    columns += ["candidate"]
    columns += ["fidelity"] if any(record.fidelity < 1 for record in records) else []
    return [*columns, "quality", "inference.latency", "model.size", "train.time"]


def titles(columns: Sequence[str]) -> list[str]:
    return [TITLES.get(column, column.capitalize()) for column in columns]


def row(record: TrialRecord, columns: Sequence[str]) -> list[str]:
    """The cells of ``record`` for people: prefixes and three digits; empty for what is missing.

    A trial that did not finish has its state in the place of its quality.
    """
    return [_shown(record, column) for column in columns]


def as_csv(records: Sequence[TrialRecord], columns: Sequence[str]) -> str:
    """Exact numbers in SI units or bytes, texts that run nowhere; without ``columns``, all."""
    columns = columns or all_columns(records)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(
        [_no_formula(value_of(record, column)) for column in columns] for record in records
    )
    return text.getvalue()


def as_markdown(records: Sequence[TrialRecord], columns: Sequence[str]) -> str:
    """A table for a text in Markdown, for people; nothing in it is markup."""
    columns = columns or usual_columns(records)
    rows = [titles(columns), ["---"] * len(columns), *(row(record, columns) for record in records)]
    return "".join(f"| {' | '.join(map(_no_markup, cells))} |\n" for cells in rows)


def write_parquet(path: Path, records: Sequence[TrialRecord], columns: Sequence[str]) -> None:
    """Exact numbers in SI units or bytes, a row a trial; without ``columns``, all of them.

    Raises InputError without pyarrow, OutputError for a place that cannot be written.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise InputError("Parquet needs pyarrow: pip install 'effauto[parquet]'") from error
    columns = columns or all_columns(records)
    table = {name: [value_of(record, name) for record in records] for name in columns}
    try:
        pyarrow.parquet.write_table(pyarrow.table(table), path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def all_columns(records: Sequence[TrialRecord]) -> list[str]:
    """All that is known of each, and every resource that some of them measured."""
    measured = {name for record in records for name in record.measured}
    return [*(name for name in PLAIN if name != "quality"), *sorted(measured)]


def describe(record: TrialRecord) -> list[tuple[str, str]]:
    """What is known of a trial but its figures, as labels and texts."""
    traits = record.task_traits
    steps = [f"{step.method}{_setting(step.setting)}" for step in record.recipe.steps]
    lines = [
        ("Trial", f"{record.id} ({record.purpose}), {record.state}"),
        ("Task", f"{record.task}, {traits.kind} by {traits.metric}, {record.fingerprint}"),
        ("Data", f"{traits.examples} examples, {traits.classes} classes"),
        ("Model", record.model.name),
        ("Hardware", record.hardware),
        ("Measured by", record.source),
        ("Recipe", "\n".join(steps) or str(record.recipe)),
        ("Trained on", f"{record.fidelity:.0%} of the full training, seed {record.seed}"),
        ("Started", f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC{_took(record)}"),
        ("Study", "" if record.study is None else str(record.study)),
        ("Methods", ", ".join(_code(name, method) for name, method in record.methods.items())),
        ("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
        ("Files", "\n".join(f"{a.path} {show(a.size, 'byte')}" for a in record.artefacts)),
        ("Error", record.error),
    ]
    return [(label, printable(text)) for label, text in lines if text]


def figures(record: TrialRecord) -> list[tuple[str, str, str]]:
    """Each resource, as foretold and as measured, with ranges."""
    names = sorted(record.foretold.keys() | record.measured.keys())
    return [
        (name, _ranged(record.foretold.get(name)), _ranged(record.measured.get(name)))
        for name in names
    ]


def printable(text: str) -> str:
    """Without control characters, which could redraw a terminal."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def _no_markup(text: str) -> str:
    """Signs that Markdown or HTML would take for their own, as entities."""
    return "".join(f"&#{ord(sign)};" if sign in MARKUP else sign for sign in text).replace(
        "\n", " "
    )


def _no_formula(value: Any) -> Any:
    """A text that a spreadsheet shows and does not run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def value_of(record: TrialRecord, column: str) -> Any:
    if column in PLAIN:
        return PLAIN[column](record)
    figure = _figure(record, column)
    return None if figure is None else figure.value


def _figure(record: TrialRecord, column: str) -> Figure | None:
    if column.startswith(ESTIMATE):
        return record.foretold.get(column.removeprefix(ESTIMATE))
    return record.measured.get(column)


def _shown(record: TrialRecord, column: str) -> str:
    figure = _figure(record, column)
    if figure is not None:
        return show(figure.value, figure.unit)
    value = value_of(record, column)
    if column == "quality" and record.state != "finished":
        return record.state
    if isinstance(value, float):
        return f"{value:.3g}"
    return "" if value is None else printable(str(value))


def _ranged(figure: Figure | None) -> str:
    if figure is None:
        return ""
    value, low, high = (show(v, figure.unit) for v in (figure.value, figure.low, figure.high))
    return value if low == high else f"{value} ({low} to {high})"


def _setting(setting: Mapping[str, Any]) -> str:
    return (
        f" ({', '.join(f'{name}={value}' for name, value in setting.items())})" if setting else ""
    )


def _code(name: str, method: MethodVersion) -> str:
    return " ".join(word for word in (name, method.version, method.origin) if word)


def _took(record: TrialRecord) -> str:
    return "" if record.seconds is None else f", took {show(record.seconds, 's')}"
