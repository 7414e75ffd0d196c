"""Which method is to be named, and left out, when what it does cannot be followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from effauto.errors import ModelError
from effauto.knobs import Setting
from effauto.method import Method

Steps = Sequence[tuple[Method, Setting]]


class Unfollowable(Exception):
    """A method's verb that needs numbers."""

    def __init__(self, method: Method, verb: str, why: object) -> None:
        reason = str(why).strip().partition("\n")[0][:120]
        super().__init__(f"{method.name}: its {verb} cannot be followed ({reason})")
        self.method = method.name


def with_verb(steps: Steps, verb: str) -> Steps:
    """The steps whose methods say something of their own to ``verb``."""
    return [s for s in steps if getattr(type(s[0]), verb) is not getattr(Method, verb)]


@contextmanager
def following(method: Method, verb: str) -> Iterator[None]:
    """Name the method if its verb fails within."""
    try:
        yield
    except Exception as error:  # whatever a method raises that is given no numbers
        raise Unfollowable(method, verb, error) from error


@contextmanager
def blaming(steps: Steps, verbs: Sequence[str]) -> Iterator[None]:
    """Lay it to the last method with one of these verbs if what they made cannot be followed."""
    try:
        yield
    except Exception as error:
        for verb in verbs:
            for method, _ in reversed(with_verb(steps, verb)):
                raise Unfollowable(method, verb, error) from error
        raise ModelError(f"the model cannot be followed without numbers: {error}") from error
