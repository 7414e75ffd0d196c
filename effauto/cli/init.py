"""``effauto init``: five questions, and the command that they make."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import click

from effauto.errors import EffautoError, InputError


@click.command(epilog="Example: effauto init")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Also write the command into this file."
)
def init(output: Path | None) -> None:
    """Ask five questions and write the command that answers them.

    Nothing is run; each answer is checked as it is given, and asked for again if it cannot be used.
    """
    data = _asked("Your data: a file or a folder (empty: the built-in demo)", _check_data)
    size = _asked(
        "The model at most so large, such as 25MiB (empty: no limit)", _limit_on("model.size")
    )
    latency = _asked(
        "A request at most so long, such as 5ms (empty: no limit)", _limit_on("inference.latency")
    )
    training = _asked(
        "One training at most so long, such as 10min (empty: no limit)", _limit_on("train.time")
    )
    search = _asked("How long to search (0: answer at once)", _check_time, default="4min")
    limits = {"model.size": size, "inference.latency": latency, "train.time": training}
    command = _command(data, {name: most for name, most in limits.items() if most}, search)
    if output:
        from effauto.planner.answers.plan_file import check_writable

        check_writable(output)
        output.write_text(f"{command}\n", encoding="utf-8")
    click.echo()
    click.echo(command)


def _command(data: str, limits: dict[str, str], search: str) -> str:
    words = ["effauto", "plan", *([data] if data else [])]
    for name, most in limits.items():
        words += ["--budget", f"{name}<={most}"]
    return shlex.join([*words, "--search-time", search, "--output", "plan.json"])


def _asked(question: str, check: Callable[[str], None], default: str = "") -> str:
    """The answer, once it can be used."""
    while True:
        answer = str(click.prompt(question, default=default, show_default=bool(default))).strip()
        try:
            check(answer)
        except EffautoError as error:
            click.echo(f"{error}. Once more:")
            continue
        return answer


def _check_data(answer: str) -> None:
    if answer and not Path(answer).expanduser().exists():
        raise InputError(f"there is no file or folder {answer!r} here")


def _limit_on(resource: str) -> Callable[[str], None]:
    def check(answer: str) -> None:
        from effauto.budget import parse_budget

        if answer:
            parse_budget((f"{resource}<={answer}",))

    return check


def _check_time(answer: str) -> None:
    from effauto.api import search_seconds
    from effauto.budget import Budget

    search_seconds(answer, Budget())
