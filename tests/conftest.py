"""Plugins for tests: written to a folder, loaded alone or by the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sample_plugins import PROLOGUE

from effauto.cli import main
from effauto.plugins import Plugins, find_in_folder


@pytest.fixture(autouse=True)
def _no_plugins_but_the_tests_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EFFAUTO_PLUGINS_DIR", "EFFAUTO_STRICT_PLUGINS", "EFFAUTO_BLOCK_PLUGINS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write each keyword argument to a plugin file of that name; return their folder."""

    def write(**sources: str) -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(PROLOGUE + source)
        return folder

    return write


@pytest.fixture
def load(write: Callable[..., Path]) -> Callable[..., Plugins]:
    """Write plugins as ``write`` does, and load them and no others."""

    def load(**sources: str) -> Plugins:
        return Plugins(find_in_folder(write(**sources)))

    return load


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run ``effauto`` with these arguments, in this process."""

    def cli(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)])

    return cli
