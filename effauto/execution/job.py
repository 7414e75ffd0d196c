"""What a worker process is asked to do: names, numbers and folders, never objects."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from effauto.machine import Hardware
from effauto.recipe import Recipe
from effauto.traits import TaskTraits

TRAIN, JUDGE, TRACE, PILOT = "train", "judge", "trace", "pilot"
# Beyond this much of the machine's memory the system would kill something, perhaps not the trial.
MACHINE_SHARE = 0.9


@dataclass(frozen=True)
class Job:
    """Train a recipe into ``folder``, judge the artefact that lies there, or foretell both.

    To foretell, a ``trace`` follows the recipe without numbers, on rows and requests of as many
    word pieces as ``details`` says, and a ``pilot`` trains for a few steps.

    ``data`` holds ``train.jsonl`` and the split to judge on; a search's has no test split.
    ``fidelity`` is the share of the training rows that is read. ``time_limit`` (seconds) and
    ``memory_limit`` (bytes above an idle process) end the work if it needs more; without a limit
    on memory, so does most of the machine's.
    """

    action: str
    data: Path
    model: str
    recipe: Recipe
    task: TaskTraits
    classes: tuple[str, ...]
    hardware: Hardware
    folder: Path
    cache: Path
    fidelity: float = 1.0
    seed: int = 0
    split: str = "validation"
    plugin_folders: tuple[Path, ...] = ()
    time_limit: float | None = None
    memory_limit: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def memory_allowed(self) -> float:
        """Bytes above an idle process that the work may grow to in the machine's own memory.

        Where a GPU computes, the limit is on its memory, and torch keeps it.
        """
        limit = self.memory_limit if self.hardware.device == "cpu" else None
        return limit or MACHINE_SHARE * self.hardware.memory_bytes

    def judging(self, split: str = "validation") -> Job:
        """The job of judging what this one trains; its limit on memory is for the training."""
        return replace(self, action=JUDGE, split=split, memory_limit=None)

    def within(self, seconds: float) -> Job:
        """The same job with so much time."""
        return replace(self, time_limit=seconds)

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        for name in ("data", "folder", "cache"):
            data[name] = str(data[name])
        data["plugin_folders"] = [str(path) for path in self.plugin_folders]
        data["recipe"] = self.recipe.to_json()
        data["task"] = self.task.to_json()
        data["hardware"] = self.hardware.to_json()
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        read = dict(data)
        for name in ("data", "folder", "cache"):
            read[name] = Path(read[name])
        read["plugin_folders"] = tuple(Path(path) for path in read["plugin_folders"])
        read["recipe"] = Recipe.from_json(read["recipe"])
        read["task"] = TaskTraits.from_json(read["task"])
        read["hardware"] = Hardware.from_json(read["hardware"])
        read["classes"] = tuple(read["classes"])
        return cls(**read)


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    from importlib import metadata

    found = {"python": platform.python_version()}
    for package in ("effauto", "torch", "transformers", "scikit-learn", "onnxruntime"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
