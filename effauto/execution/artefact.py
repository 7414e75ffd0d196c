"""A trained model as a folder that any process can load: no pickle, no training data.

``effauto.json`` says what it is and which recipe made it; beside it lie what the runtime saved
(safetensors and config.json, or what a runtime of a method writes) and tokenizer.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from effauto.errors import EffautoError, ModelError, OutputError
from effauto.execution.linear import LinearPredictor
from effauto.method import Method
from effauto.recipe import Recipe

SCHEMA = 1
MANIFEST = "effauto.json"


class Answers(Protocol):
    """What every loaded artefact can do."""

    classes: tuple[str, ...]

    def predict(self, inputs: Any, batch_size: int = 32) -> Any: ...

    def predict_indices(self, rows: Any, batch_size: int = 32) -> list[int | tuple[int, ...]]: ...

    def save(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class Manifest:
    """What ``effauto.json`` holds."""

    kind: str
    classes: tuple[str, ...]
    family: str
    model: str
    recipe: Recipe
    order: tuple[str, ...]
    network: Mapping[str, Any]
    max_tokens: int
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {
            "effauto_artefact": SCHEMA,
            "kind": self.kind,
            "classes": list(self.classes),
            "family": self.family,
            "model": self.model,
            "recipe": self.recipe.to_json(),
            "order": list(self.order),
            "network": dict(self.network),
            "max_tokens": self.max_tokens,
            "versions": dict(self.versions),
        }


def save_artefact(folder: Path, manifest: Manifest, predictor: Answers) -> None:
    """Write the folder whole or not at all: what stood there before stays until the end.

    Raises OutputError if it cannot be written.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        predictor.save(part)
        write_json(part / MANIFEST, manifest.to_json())
        _readable_alike(part)
        replace_folder(part, folder)
    except Exception as error:  # safetensors, tokenizers and ONNX each report a full disk their way
        reason = (isinstance(error, OSError) and error.strerror) or str(error).partition("\n")[0]
        raise OutputError(f"the model cannot be saved in {folder}: {reason}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _readable_alike(folder: Path) -> None:
    """Let whoever may read the manifest read all: safetensors makes files for their owner only."""
    mode = (folder / MANIFEST).stat().st_mode
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)


def replace_folder(new: Path, folder: Path) -> None:
    """Put ``new`` in the place of ``folder``; on failure the old one is put back."""
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, data: Any) -> None:
    """Write JSON whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's ``effauto.json``; raise ModelError if it is no artefact of this schema."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        schema = data["effauto_artefact"]
        manifest = _manifest(data) if schema == SCHEMA else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EffautoError) as error:
        raise ModelError(
            f"{folder} holds no whole model saved by effauto ({MANIFEST}: {error})"
        ) from error
    if manifest is None:
        raise ModelError(f"{folder} was saved by another effauto (schema {schema}, not {SCHEMA})")
    return manifest


def _manifest(data: Mapping[str, Any]) -> Manifest:
    recipe = Recipe.from_json(data["recipe"])
    if set(data["order"]) != set(recipe.settings):
        raise ValueError("its order names other methods than its recipe")
    return Manifest(
        kind=data["kind"],
        classes=tuple(data["classes"]),
        family=data["family"],
        model=data["model"],
        recipe=recipe,
        order=tuple(data["order"]),
        network=data["network"],
        max_tokens=int(data["max_tokens"]),
        versions=dict(data["versions"]),
    )


def load_artefact(
    folder: Path, methods: Callable[[], Mapping[str, Method]], threads: int, device: str = "cpu"
) -> Answers:
    """Load what :func:`save_artefact` wrote, wherever it was trained.

    It computes on ``device`` where its methods do. Raises ModelError if one of them is missing.
    """
    manifest = read_manifest(folder)
    if manifest.family == "linear":
        return LinearPredictor.open(folder, manifest.kind, manifest.classes)
    from effauto.execution.reopening import reopen

    steps = []
    known = methods() if manifest.order else {}
    for name in manifest.order:
        if name not in known:
            raise ModelError(f"{folder} was made with the method {name!r}; install its plugin")
        steps.append((known[name], manifest.recipe.settings[name]))
    return reopen(folder, manifest, steps, threads, device)


def size_of(folder: Path) -> int:
    """Bytes of all files in the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def digest_of(folder: Path) -> str:
    """SHA-256 over names and contents of all files in the folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
