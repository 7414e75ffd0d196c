"""The ``effauto`` command line: one file for each command."""

from __future__ import annotations

import logging
from pathlib import Path

import click

import effauto
from effauto.cli.group import MainGroup

LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _ToStderr(logging.Handler):
    """Shows what happens on stderr, so that stdout carries the answer only."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"{record.levelname.capitalize()}: {self.format(record)}", err=True)


def _set_up_logging(ctx: click.Context, option: click.Parameter, verbosity: int) -> None:
    log = logging.getLogger("effauto")
    log.setLevel(LEVELS[min(verbosity, len(LEVELS) - 1)])
    log.handlers = [_ToStderr()]


@click.group(
    cls=MainGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 2 wrong usage or input; 3 nothing fits the budget; 130 interrupted."
    " Each command explains itself: effauto COMMAND --help.",
)
@click.option(
    "--plugins-dir",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    is_eager=True,
    help="Also load the plugins in this folder; may be repeated. EFFAUTO_PLUGINS_DIR names more.",
)
@click.option(
    "-v",
    "--verbose",
    count=True,
    is_eager=True,
    expose_value=False,
    callback=_set_up_logging,
    help="Tell on stderr what happens; twice for every detail.",
)
@click.version_option(effauto.__version__, prog_name="effauto")
def main(plugins_dir: tuple[Path, ...]) -> None:
    """Recommend which efficiency methods to combine for a language model.

    \b
    Ask for a plan within a budget, carry it out, see what is known:
      effauto plan data/ --budget 'train.time<=10min' --output plan.json
      effauto run plan.json --output model/
      effauto results list
    """
