import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, str | bytes | Iterable[Any]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of text, of bytes, or of one JSON value a line, and return its path."""

    def write(name: str, content: str | bytes | Iterable[Any]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = "".join(json.dumps(value) + "\n" for value in content).encode()
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def reviews() -> list[dict[str, Any]]:
    """A hundred distinct texts, a fifth of them bad."""
    return [
        {"text": f"Review number {n}, a film", "label": "bad" if n % 5 == 0 else "good"}
        for n in range(100)
    ]
