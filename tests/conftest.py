"""What every test has: places of its own, plugins to write, the command line, a tiny model."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings
from sample_plugins import PROLOGUE

from effauto.cli import main
from effauto.errors import ModelError
from effauto.machine import PATIENT_THREADS
from effauto.plugins import Plugins, find_in_folder, load_plugins

# Read when torch is first imported. Tests run side by side, each with threads for all cores.
os.environ.update(PATIENT_THREADS)

# A busy machine is no error of the code: what must be fast is tested as such.
settings.register_profile("effauto", deadline=None)
settings.load_profile("effauto")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever takes a method's folder away is not told of it by tests that only use the method.

    Which methods there were is known from the trials that ship.
    """
    gone = _shipped_methods() - load_plugins().methods().keys()
    for item in items if gone else ():
        if item.get_closest_marker("all_methods"):
            item.add_marker(pytest.mark.skip(reason=f"missing: {', '.join(sorted(gone))}"))
        asked = getattr(item, "callspec", None)  # a page, perhaps, whose commands are run
        files = [item.path, *(asked.params.values() if asked else ())]
        source = "".join(f.read_text("utf-8") for f in files if isinstance(f, Path) and f.is_file())
        for name in gone:
            if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", source):
                item.add_marker(pytest.mark.skip(reason=f"the plugin of {name} is not here"))


def _shipped_methods() -> set[str]:
    registry = Path(__file__).resolve().parents[1] / "registry.db"
    with closing(sqlite3.connect(f"file:{registry}?mode=ro", uri=True)) as connection:
        return {name for (name,) in connection.execute("select name from method")}


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for all, since calibrating takes seconds; a database for fixtures of modules."""
    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("EFFAUTO_CACHE_DIR", str(folder / "cache"))
        monkeypatch.setenv("EFFAUTO_DB", str(folder / "results.db"))
        monkeypatch.setenv("EFFAUTO_REGISTRY", "")  # what ships changes; tests bring their own
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(autouse=True)
def _a_database_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFAUTO_DB", str(tmp_path / "results.db"))


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


@pytest.fixture(scope="session", autouse=True)
def _children_can_be_interrupted() -> Iterator[None]:
    """A shell starts what it puts in the background deaf to Ctrl-C, and children inherit that."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: a BERT of 2 layers of width 32 with random weights, MiniLM's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    from effauto.model import find_model

    try:
        tokenizer = find_model("minilm").files / "tokenizer.json"
    except ModelError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("tiny")
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    return folder
