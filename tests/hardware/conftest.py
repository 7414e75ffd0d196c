"""Tests never read or write the calibrations that the user's cache holds."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EFFAUTO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"
