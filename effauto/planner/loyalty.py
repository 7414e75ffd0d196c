"""How often a candidate answers like the untouched baseline."""

from __future__ import annotations

from collections.abc import Sequence

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.resources import GUARD, Figure

LOYALTY = f"{GUARD}loyalty"
# 80 % of a normal distribution lie within this many deviations.
WITHIN = 1.2816


def compare(results: Sequence[Result], baseline: Candidate) -> list[Result]:
    """Measure the loyalty of all ``results``; return those of which it is new or has changed.

    They are compared with the baseline's answers at its largest scale; nothing is known before it
    was tried. (Label loyalty: Xu et al. 2021, "Beyond Preserved Accuracy".)
    """
    tried = [result for result in results if result.candidate == baseline and result.answers]
    if not tried:
        return []
    reference = max(tried, key=lambda result: result.fidelity)
    changed = []
    for result in results:
        if result.answers and len(result.answers) == len(reference.answers):
            loyalty = _loyalty(result, reference)
            if result.measured.get(LOYALTY) != loyalty:
                result.measured = {**result.measured, LOYALTY: loyalty}
                changed.append(result)
    return changed


def _loyalty(result: Result, reference: Result) -> Figure:
    count = len(reference.answers)
    same = sum(a == b for a, b in zip(result.answers, reference.answers, strict=True)) / count
    margin = WITHIN * (max(same * (1 - same), 1e-4) / count) ** 0.5 if result != reference else 0.0
    note = f"{count} answers, beside {reference.candidate} on {reference.fidelity:.0%} of the data"
    return Figure(same, "1", max(0.0, same - margin), min(1.0, same + margin), "measured", note)
