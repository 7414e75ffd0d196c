"""μTransfer: settings found on a narrow model that hold for a wide one (Yang et al. 2021).

A model that transformers builds from a config is put into the maximal-update parametrisation:
:func:`maximal_update` scales its initial numbers and its logits, :func:`parameter_groups` gives
each parameter its learning rate, :func:`folded` makes it plain again once it is trained. torch is
imported when the first of these is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from effauto.transfer.folding import folded, released
    from effauto.transfer.groups import parameter_groups
    from effauto.transfer.multipliers import Multipliers
    from effauto.transfer.parametrisation import Parametrisation, joined, maximal_update
    from effauto.transfer.resize import resized

_HOMES = {
    "Multipliers": "multipliers",
    "Parametrisation": "parametrisation",
    "folded": "folding",
    "joined": "parametrisation",
    "maximal_update": "parametrisation",
    "parameter_groups": "groups",
    "released": "folding",
    "resized": "resize",
}

__all__ = [
    "Multipliers",
    "Parametrisation",
    "folded",
    "joined",
    "maximal_update",
    "parameter_groups",
    "released",
    "resized",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'effauto.transfer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"effauto.transfer.{_HOMES[name]}"), name)
