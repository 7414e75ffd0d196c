"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from effauto.errors import InputError
from effauto.traits import PLAIN_TEXT

if TYPE_CHECKING:
    from effauto.planner.request import DataRequest

Command = Callable[..., Any]

KINDS = (
    "text-classification",
    "pair-classification",
    "token-classification",
    *PLAIN_TEXT,
)

database = click.option(
    "--db", metavar="PATH|URL", help="The results database; otherwise EFFAUTO_DB or the user's own."
)

_TASK = (
    click.option("--task", "kind", type=click.Choice(KINDS), help="Otherwise told by the columns."),
    click.option(
        "--column",
        "column",
        multiple=True,
        metavar="ROLE=NAME",
        help="Which column is text, label, text_a, text_b, tokens or tags.",
    ),
    click.option(
        "--metric", type=click.Choice(["accuracy", "macro_f1"]), help="What is maximised."
    ),
    click.option(
        "--max-rows", type=click.IntRange(min=20), help="Train on no more rows than this."
    ),
)

_PRICES = (
    click.option(
        "--price",
        "price",
        multiple=True,
        metavar="PRICE",
        help="Such as 0.5EUR/hour, 0.30EUR/kWh, 0.02EUR/label, 0.02EUR/GB-month.",
    ),
    click.option("--country", metavar="ISO3", help="Whose electricity it is, such as DEU."),
)


def _adding(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


task_options = _adding(*_TASK)
pue_option = click.option(
    "--pue",
    type=click.FloatRange(min=1.0),
    default=1.0,
    show_default=True,
    help="What the building uses over what the machine uses; 1 for a machine of your own.",
)
price_options = _adding(*_PRICES)
tell_option = click.option(
    "--tell",
    multiple=True,
    metavar="NAME",
    help="Also tell a listener that a plugin offers, such as mlflow; repeatable.",
)
hardware_option = click.option(
    "--hardware",
    default="here",
    show_default=True,
    metavar="NAME|FILE",
    help="The machine to plan for; see 'effauto hardware list'.",
)


def data_request(source: str | None, given: Mapping[str, Any], seed: int) -> DataRequest:
    """What the task options say of the data."""
    from effauto.planner.request import DataRequest

    return DataRequest(
        source, given["kind"], _columns(given["column"]), given["metric"], given["max_rows"], seed
    )


def check_from_scratch(kind: str | None, from_scratch: bool) -> None:
    """Raise InputError where a model cannot be trained, or not be taken as it is."""
    if from_scratch and kind not in PLAIN_TEXT:
        raise InputError(
            f"--from-scratch trains language models: add --task {' or --task '.join(PLAIN_TEXT)}"
        )
    if kind in PLAIN_TEXT and not from_scratch:
        raise InputError(
            "language models are trained from scratch here, not fine-tuned: add --from-scratch"
        )


def _columns(given: Sequence[str]) -> dict[str, str]:
    columns = {}
    for text in given:
        role, sign, name = text.partition("=")
        if not sign or not name:
            raise InputError(f"--column {text!r}: write ROLE=NAME, as in --column text=body")
        columns[role.strip()] = name.strip()
    return columns
