"""The target setting: what must be the same for two measured figures to compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# What depends on where it was measured. Quality and size do not: they belong to the recipe.
BOUND = ("train.", "inference.", "life.", "search.")
ANYWHERE = ("train.flops", "train.labels", "inference.flops")


@dataclass(frozen=True, order=True)
class TargetSetting:
    """The machine, the threads that computed, and the versions that did.

    Batch sizes belong to what a resource means (a latency is of one request, a throughput of 32),
    and the runtime to the recipe.
    """

    hardware: str
    threads: int
    torch: str
    transformers: str

    def __str__(self) -> str:
        libraries = (("torch", self.torch), ("transformers", self.transformers))
        known = [f"{name} {version}" for name, version in libraries if version]
        many = "thread" if self.threads == 1 else "threads"
        return ", ".join([self.hardware, f"{self.threads} {many}", *known])


def bound(resource: str) -> bool:
    """Whether figures of the resource compare only within one setting."""
    return resource.startswith(BOUND) and resource not in ANYWHERE


def mixture(settings: Iterable[TargetSetting], resources: Iterable[str]) -> str:
    """A sentence if figures of these resources come from several settings; else nothing."""
    found, named = sorted(set(settings)), sorted(filter(bound, resources))
    if len(found) < 2 or not named:
        return ""
    return f"figures of {' and '.join(named)} come from {len(found)} settings: " + "; ".join(
        map(str, found)
    )
