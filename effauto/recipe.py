"""Recipes: which methods, with which settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from effauto.errors import PlanError
from effauto.knobs import Setting, Value


@dataclass(frozen=True)
class Step:
    """One method and a value for some of its knobs; the others keep their defaults."""

    method: str
    values: tuple[tuple[str, Value], ...] = ()

    @property
    def setting(self) -> dict[str, Value]:
        return dict(self.values)


@dataclass(frozen=True)
class Recipe:
    """Methods with their settings. The order of writing means nothing: steps are kept by name.

    Hashable and comparable; :attr:`key` is a short content hash. The empty recipe is the
    untouched baseline.
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, *methods: str, **settings: Setting) -> Recipe:
        """``Recipe.of("one", an_other={"rank": 8})``; ``_`` in a keyword stands for ``-``."""
        chosen: dict[str, Setting] = {name: {} for name in methods}
        chosen |= {name.replace("_", "-"): setting for name, setting in settings.items()}
        return cls.from_settings(chosen)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Setting]) -> Recipe:
        """A recipe of each method in ``settings``, with its values."""
        return cls(
            tuple(Step(name, tuple(sorted(settings[name].items()))) for name in sorted(settings))
        )

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """Read names joined by ``+``, ``untouched``, or :meth:`to_json`'s list as JSON text.

        Raises PlanError if it is none of these.
        """
        text = text.strip()
        if text.startswith("["):
            try:
                return cls.from_json(json.loads(text))
            except (ValueError, RecursionError) as error:
                raise PlanError(f"the recipe is no JSON: {error}") from error
        names = [name.strip() for name in text.split("+") if name.strip()]
        return cls.of(*names) if names != ["untouched"] else cls()

    @property
    def settings(self) -> dict[str, dict[str, Value]]:
        return {step.method: step.setting for step in self.steps}

    @cached_property
    def key(self) -> str:
        canonical = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return " + ".join(step.method for step in self.steps) or "untouched"

    def to_json(self) -> list[dict[str, Any]]:
        return [{"method": step.method, "setting": step.setting} for step in self.steps]

    @classmethod
    def from_json(cls, data: Any) -> Recipe:
        """Read :meth:`to_json`'s list; raise PlanError if it is not one."""
        try:
            settings = {entry["method"]: dict(entry.get("setting", {})) for entry in data}
            plain = all(
                isinstance(name, str) and all(isinstance(v, Value) for v in setting.values())
                for name, setting in settings.items()
            )
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise PlanError(f"a recipe is a list of {{method, setting}}: {error}") from error
        if not plain or len(settings) < len(data):
            raise PlanError("a recipe names each method once, with plain values")
        return cls.from_settings(settings)
