"""What plugins do wrong, in one line each."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from effauto.errors import EffautoError, PluginError
from effauto.method import Method

P = ParamSpec("P")
T = TypeVar("T")

# A plugin may raise anything; one that calls sys.exit() must not end effauto either.
AnyFailure = (Exception, SystemExit)


@dataclass(frozen=True)
class Broken:
    """A plugin that was found and cannot be used."""

    name: str
    origin: str
    error: BaseException

    @property
    def reason(self) -> str:
        return described(self.error)


def guarded(method: Method, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return ``call(…)``; raise PluginError, naming ``method``, for whatever it raises."""
    try:
        return call(*args, **kwargs)
    except EffautoError:
        raise
    except AnyFailure as error:
        raise PluginError(f"{method.name} failed: {described(error)}") from error


def described(error: BaseException) -> str:
    """What an exception says, and, unless effauto raised it on purpose, where it was raised."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # a plugin's own exception class may fail at this, too
        text = ""
    if isinstance(error, EffautoError):
        return text
    if isinstance(error, SystemExit):
        return f"it calls sys.exit({text!r}){_place(error)}"
    return f"{type(error).__name__}{': ' * bool(text)}{text}{_place(error)}"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
