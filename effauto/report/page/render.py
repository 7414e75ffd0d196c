"""From a page's texts to one file of HTML: style, script and charts inlined, all text escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.errors import MissingExtra, OutputError

if TYPE_CHECKING:
    from jinja2 import Environment

    from effauto.report.page.page import Page

TEMPLATES = "effauto.report.page"


def render(page: Page) -> str:
    """The page as HTML; raise MissingExtra if what draws it is not installed."""
    scripts = [plotly(), asset("charts.js"), asset("page.js")]
    template = environment(TEMPLATES).get_template("page.html")
    return template.render(
        page=page,
        data=embedded(page.data),
        style=asset("page.css"),
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
    )


def write_page(page: Page, path: Path) -> None:
    """Write the page; raise OutputError if it cannot be written there."""
    text = render(page)
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the report cannot be written to {path}: {error.strerror}") from error


def require_report() -> None:
    """Raise MissingExtra, before any work is done, if no report could be drawn."""
    if not (find_spec("plotly") and find_spec("jinja2")):
        raise MissingExtra("a report needs plotly and jinja2: pip install 'effauto[report]'")


def environment(*packages: str) -> Environment:
    """The packages' templates, the first's first; every value in them is escaped."""
    require_report()
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates") for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def embedded(data: Any) -> str:
    """JSON that may stand inside a script element: no text in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def plotly() -> str:
    """The charts' library, as one script."""
    require_report()
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def asset(name: str) -> str:
    """A style sheet or script of the page."""
    return (files("effauto.report.page") / "templates" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
