"""How notebooks show plans: registered with IPython where it runs, and nowhere else."""

from __future__ import annotations

import io
import sys
from importlib.util import find_spec
from typing import Any

from effauto.planner.answers.plan import Plan


def show_in_notebooks() -> None:
    """From now on a cell whose value is a plan shows it for people."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    formatters["text/plain"].for_type(Plan, _print_text)
    if find_spec("jinja2") and find_spec("plotly"):
        from effauto.report.page.notebook import as_html

        formatters["text/html"].for_type(Plan, as_html)


def _print_text(plan: Plan, printer: Any, cycle: bool) -> None:
    """As the terminal shows it."""
    from rich.console import Console

    from effauto.report.plan import print_plan

    text = io.StringIO()
    print_plan(plan, Console(file=text, width=100))
    printer.text(text.getvalue().rstrip())
