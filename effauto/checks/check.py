"""One check of one method, and what it says when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from effauto.method import Method


class CheckFailed(AssertionError):
    """A method breaks the contract; the message is a sentence that says how."""


@dataclass(frozen=True)
class Check:
    """A test of the contract, ready to be called; its ``str`` is a name for a test report."""

    method: Method
    test: Callable[[Method], None]

    @property
    def name(self) -> str:
        return self.test.__name__.replace("_", "-")

    def __str__(self) -> str:
        return f"{self.method.name}-{self.name}"

    def __call__(self) -> None:
        self.test(self.method)


@dataclass(frozen=True)
class Failure:
    """A check that failed; ``method`` is empty where the plugin itself cannot be used."""

    method: str
    check: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.method or 'plugin'}: {self.check}: {self.sentence}"


def require(holds: object, sentence: str) -> None:
    if not holds:
        raise CheckFailed(sentence)
