"""The methods that come with effauto: ``plugins/`` of a checkout, this folder of a wheel."""

from pathlib import Path

_checkout = Path(__file__).resolve().parents[2]
if (_checkout / "pyproject.toml").is_file() and (_checkout / "plugins").is_dir():
    __path__.append(str(_checkout / "plugins"))
