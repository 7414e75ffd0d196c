"""Results as if a trial had measured exactly what was foretold."""

from __future__ import annotations

from dataclasses import replace

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.trial import make_result
from effauto.resources import Figure


def measured(
    strategy: Strategy, candidate: Candidate, fidelity: float, quality: float = 0.8
) -> Result:
    """Of this candidate on that share of the data, with that quality."""
    foretold = strategy.situation.oracle.foretell(candidate, fidelity)
    figures = {name: replace(figure, tier="measured") for name, figure in foretold.items()}
    figures["quality.accuracy"] = Figure(quality, "1", quality - 0.05, quality + 0.05, "measured")
    return make_result(strategy.situation, candidate, fidelity, 0, figures, None)
