"""What a workload costs on a machine: foretold in closed form, corrected by measurements."""

from effauto.cost.corrections import Correction, learn_corrections
from effauto.cost.energy import Place
from effauto.cost.estimate import estimate
from effauto.cost.prices import Prices, parse_prices
from effauto.cost.relax import Infeasibility, explain_infeasible

__all__ = [
    "Correction",
    "Infeasibility",
    "Place",
    "Prices",
    "estimate",
    "explain_infeasible",
    "learn_corrections",
    "parse_prices",
]
