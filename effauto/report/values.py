"""Figures as a reader meets them."""

from __future__ import annotations

from effauto.quantities import show
from effauto.resources import QUALITY, RESOURCES, SHARES, Figure, Resource, resource_named


def written(name: str, value: float, unit: str) -> str:
    """A value of the resource ``name``: shares with three decimals, the rest with a prefix."""
    return f"{value:.3f}" if name.startswith(SHARES) else show(value, unit)


def value_of(name: str, figure: Figure | None) -> str:
    """The figure's value; nothing where there is none."""
    return "" if figure is None else written(name, figure.value, figure.unit)


def range_of(name: str, figure: Figure) -> str:
    """The figure's 80 % range."""
    return " … ".join(written(name, end, figure.unit) for end in (figure.low, figure.high))


def meaning(name: str, unit: str) -> Resource:
    """The resource of that name; a figure beside these, such as processor time, explains itself."""
    if name in RESOURCES or name.startswith(QUALITY):
        return resource_named(name)
    return Resource(name, unit, "", "")
