"""The built-in demo: which library is this docstring from?

Real text that needs no download: docstrings in the installed source files of libraries that
effauto depends on, read without importing them, with every library's name masked.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import importlib.metadata
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from effauto.errors import DataError
from effauto.task.demo_cache import Row, remembered
from effauto.task.rows import Rows

ROWS_PER_LIBRARY = 200
SHORTEST, LONGEST = 40, 400  # characters
MASK = "___"

# The import name of a library, and the distribution that installs it.
LIBRARIES = {
    "networkx": "networkx",
    "numpy": "numpy",
    "rich": "rich",
    "sklearn": "scikit-learn",
    "smac": "smac",
    "sqlalchemy": "sqlalchemy",
    "torch": "torch",
    "transformers": "transformers",
}
_NAMES = re.compile(
    r"networkx|numpy|(?<![a-z])rich|scikit-?learn|sklearn|scikit|smac|sqlalchemy|(py)?torch"
    r"|transformers|hugging ?face|\b(nx|np|sk|sa|tf|hf)\b",
    re.IGNORECASE,
)
_NOT_THEIR_PROSE = {"tests", "testing", "_vendor"}
_NO_PROSE = re.compile(r">>>|^\.\. |^:|^[-=~]{3,}|\bdeprecated\b|[^ -~]|http", re.MULTILINE)


def demo_rows() -> tuple[Rows, list[str]]:
    """Return at most 1,600 rows, balanced, and a sentence that names the libraries' versions.

    The same on one installation; another version of a library has other docstrings.
    """
    versions = {name: _version(LIBRARIES[name]) for name in LIBRARIES}
    rows = remembered(versions, Path(__file__), _read)
    taken = [library for library in LIBRARIES if any(library == row[1] for row in rows)]
    if len(taken) < 2:
        raise DataError("the demo needs the sources of two installed libraries, and finds fewer")
    inputs, labels = tuple((text,) for text, _ in rows), tuple(label for _, label in rows)
    return Rows("text-classification", inputs, labels), [_provenance(taken)]


def _read() -> list[Row]:
    texts: dict[str, Row] = {}
    with _without_collection():
        for library in LIBRARIES:
            for text in _docstrings(library):
                texts.setdefault(text.lower(), (text, library))
    return sorted(texts.values(), key=lambda row: _hash(row[0]))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Looking for cycles among the many nodes of syntax trees, which have none, takes long."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _provenance(libraries: list[str]) -> str:
    versions = (f"{name} {_version(LIBRARIES[name])}" for name in libraries)
    return f"the demo's rows are docstrings, names masked, of {', '.join(versions)}"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _docstrings(library: str) -> list[str]:
    """The first distinct docstrings that are met, files in the order of their names' hashes."""
    found: dict[str, None] = {}
    for path in _sources(library):
        for docstring in _docstrings_in(path):
            text = _prose(docstring)
            if text:
                found[text] = None
        if len(found) >= ROWS_PER_LIBRARY:
            break
    return list(found)[:ROWS_PER_LIBRARY]


def _sources(library: str) -> list[Path]:
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        return []
    root = os.path.dirname(spec.origin)
    files = []
    for folder, inner, names in os.walk(root):  # three times as fast as Path.rglob
        inner[:] = [name for name in inner if name not in _NOT_THEIR_PROSE]
        files += [os.path.join(folder, name) for name in names if name.endswith(".py")]
    return [Path(file) for file in sorted(files, key=lambda f: _hash(os.path.relpath(f, root)))]


def _docstrings_in(path: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            module = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    waiting: list[ast.Module | ast.stmt] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring
            waiting += node.body


def _prose(docstring: str) -> str:
    """The first paragraphs, folded and masked; empty if too short, too long or no prose."""
    text = ""
    for paragraph in docstring.split("\n\n"):
        if _NO_PROSE.search(paragraph):
            break
        text = f"{text} {' '.join(paragraph.split())}".strip()
        if len(text) >= SHORTEST:
            break
    masked = _NAMES.sub(MASK, text)
    return masked if SHORTEST <= len(masked) <= LONGEST and masked.count(" ") >= 5 else ""


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
