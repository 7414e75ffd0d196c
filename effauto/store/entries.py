"""What goes into the store and comes out of it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from effauto.machine import Hardware
from effauto.recipe import Recipe
from effauto.resources import Figure, Figures
from effauto.store.setting import TargetSetting
from effauto.traits import ModelTraits, TaskTraits

Origin = Literal["own", "shipped"]
Purpose = Literal["search", "run", "benchmark"]
State = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Situation:
    """What trials are about: a task's data, known by ``fingerprint``, a model and a machine."""

    task_name: str
    fingerprint: str
    task: TaskTraits
    model: ModelTraits
    hardware: Hardware


@dataclass(frozen=True)
class MethodVersion:
    """Which code of a method ran."""

    version: str = ""
    origin: str = ""
    code_hash: str = ""


@dataclass(frozen=True)
class Artefact:
    """A file that a trial left; ``size`` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class TrialRecord:
    """One trial as it was stored.

    ``fidelity`` is the share of the full training; ``seconds`` is None unless the trial ended by
    itself; ``foretold`` and ``measured`` map resources to figures in SI units or bytes; ``source``
    tells who measured it, if it was imported; ``machine`` is its hardware, calibration included.
    """

    number: int
    origin: Origin
    study: int | None
    task: str
    fingerprint: str
    task_traits: TaskTraits
    model: ModelTraits
    hardware: str
    recipe: Recipe
    fidelity: float
    seed: int
    purpose: Purpose
    state: State
    error: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    foretold: Figures
    measured: Figures
    methods: Mapping[str, MethodVersion] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    artefacts: tuple[Artefact, ...] = ()
    uuid: str = ""
    source: str = ""
    machine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def setting(self) -> TargetSetting:
        """What must be the same for its times to compare with another's."""
        return TargetSetting(
            self.hardware,
            int(self.machine.get("threads", 0)),
            *(self.versions.get(library, "") for library in ("torch", "transformers")),
        )

    @property
    def id(self) -> str:
        """How users name it: ``12``, or ``shipped-12``."""
        return str(self.number) if self.origin == "own" else f"{self.origin}-{self.number}"

    def value(self, resource: str) -> float | None:
        """The measured value of ``resource``, or None."""
        figure = self.measured.get(resource)
        return None if figure is None else figure.value

    def to_json(self) -> dict[str, Any]:
        traits = self.task_traits
        return {
            "id": self.id,
            "uuid": self.uuid,
            "origin": self.origin,
            "source": self.source,
            "study": self.study,
            "task": {"name": self.task, "fingerprint": self.fingerprint} | traits.to_json(),
            "model": self.model.name,
            "hardware": self.hardware,
            "setting": asdict(self.setting),
            "recipe": self.recipe.to_json(),
            "recipe_key": self.recipe.key,
            "methods": {name: asdict(version) for name, version in self.methods.items()},
            "fidelity": self.fidelity,
            "seed": self.seed,
            "purpose": self.purpose,
            "state": self.state,
            "error": self.error,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at and self.finished_at.isoformat(),
            "seconds": self.seconds,
            "estimate": _figures(self.foretold),
            "measurement": _figures(self.measured),
            "versions": dict(self.versions),
            "artefacts": [asdict(artefact) for artefact in self.artefacts],
        }


def storable(text: str) -> str:
    """Without what databases refuse in text: half surrogate pairs, and NUL."""
    return text.encode(errors="replace").decode().replace("\0", "")


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figures[name].to_json() for name in sorted(figures)}
