"""``effauto ui``: the results in a browser."""

from __future__ import annotations

from importlib.util import find_spec

import click

from effauto.cli.app import App
from effauto.cli.options import database
from effauto.errors import MissingExtra

NEEDED = ("starlette", "uvicorn", "jinja2", "plotly", "markdown_it")


@click.command(epilog="Example: effauto ui --port 8001")
@database
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True)
@click.pass_obj
def ui(app: App, db: str | None, port: int) -> None:
    """Show studies, trials and methods in a browser, until interrupted.

    Searches that are under way show how far they are. Nothing can be changed, and only this machine
    can look: 127.0.0.1 is listened on, and requests for other hosts are refused.
    """
    if not all(map(find_spec, NEEDED)):
        raise MissingExtra("the pages need some packages: pip install 'effauto[ui]'")
    import uvicorn

    from effauto.store import open_store
    from effauto.ui.app import application

    open_store(db, create=db is None).close()  # what is wrong with it is said now
    served = application(db, app.plugins.methods())
    click.echo(f"The results are at http://127.0.0.1:{port}/ (Ctrl-C ends it)")
    uvicorn.run(served, host="127.0.0.1", port=port, log_level="warning")
