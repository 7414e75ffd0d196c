"""μTransfer: settings found on a narrow model that hold for a wide one (Yang et al. 2021).

A model that transformers builds from a config is put into the maximal-update parametrisation:
:func:`maximal_update` scales its initial numbers and its logits, :func:`parameter_groups` gives
each parameter its learning rate, :func:`folded` makes it plain again once it is trained.
"""

from effauto.transfer.folding import folded, released
from effauto.transfer.groups import parameter_groups
from effauto.transfer.multipliers import Multipliers
from effauto.transfer.parametrisation import Parametrisation, joined, maximal_update
from effauto.transfer.resize import resized

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
