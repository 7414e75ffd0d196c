"""``effauto serve``: answer predictions over HTTP."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from effauto.cli.app import App
from effauto.errors import MissingExtra

NEEDED = ("starlette", "uvicorn", "prometheus_client")


@click.command(epilog="Example: effauto serve model/ --port 8000")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Inputs that are answered together, at most.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 1000),
    default=2.0,
    show_default=True,
    metavar="MILLISECONDS",
    help="How long to wait for others to answer together.",
)
@click.pass_obj
def serve(app: App, folder: Path, port: int, batch: int, wait: float) -> None:
    """Answer predictions of the model in FOLDER on this machine, until interrupted.

    POST /predict takes {"inputs": ["a text", …]}; GET /health tells what is served, GET /metrics
    how much and how fast, for Prometheus. Only 127.0.0.1 is listened on: put a server of your own
    before it to let others ask.
    """
    if not all(map(find_spec, NEEDED)):
        raise MissingExtra("serving needs some packages: pip install 'effauto[serve]'")
    import uvicorn

    from effauto.api import load
    from effauto.execution.artefact import read_manifest
    from effauto.serving.app import application

    manifest = read_manifest(folder)
    model = load(folder, plugins_dirs=app.folders)
    about = {
        "model": manifest.model,
        "kind": manifest.kind,
        "recipe": manifest.recipe.to_json(),
        "classes": len(manifest.classes),
    }

    def predict(inputs: object) -> list[str]:
        return list(model.predict(inputs, batch))

    served = application(predict, about, most=batch, wait=wait / 1000)
    click.echo(f"Serving {folder} on http://127.0.0.1:{port}/predict (Ctrl-C ends it)")
    uvicorn.run(served, host="127.0.0.1", port=port, log_level="warning")
