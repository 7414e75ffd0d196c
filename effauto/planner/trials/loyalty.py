"""How often a candidate answers like the untouched baseline."""

from __future__ import annotations

from collections.abc import Sequence

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.resources import GUARD, Figure, share_of

LOYALTY = f"{GUARD}loyalty"


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
    note = f"{count} answers, beside {reference.candidate} on {reference.fidelity:.0%} of the data"
    if result == reference:
        return Figure(same, "1", same, same, "measured", note)
    return share_of(same, count, note)
