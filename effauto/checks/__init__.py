"""The conformance kit: every method, bundled or a third party's, passes the same checks.

In a plugin's tests::

    @pytest.mark.parametrize("check", checks_for(MyMethod()), ids=str)
    def test_conformance(check):
        check()
"""

from __future__ import annotations

from effauto.checks.check import Check, CheckFailed, Failure
from effauto.checks.composing import composes_or_says_why, survives_json
from effauto.checks.costing import cost_is_sound, fits_answers
from effauto.checks.declaration import card_is_complete, declaration_is_complete, knobs_are_legal
from effauto.checks.execution import runs_end_to_end
from effauto.checks.imports import imports_nothing_heavy
from effauto.method import Method
from effauto.plugins import AnyFailure, described

__all__ = ["CHECKS", "Check", "CheckFailed", "Failure", "checks_for", "run_checks"]

CHECKS = (
    declaration_is_complete,
    card_is_complete,
    knobs_are_legal,
    fits_answers,
    cost_is_sound,
    imports_nothing_heavy,
    survives_json,
    composes_or_says_why,
    runs_end_to_end,
)


def checks_for(method: Method) -> list[Check]:
    """One callable a check, which raises CheckFailed, or what the method raised."""
    return [Check(method, test) for test in CHECKS]


def run_checks(method: Method, name: str = "") -> list[Failure]:
    """Run every check whose name contains ``name``; return those that failed, with a sentence."""
    failures = []
    for check in checks_for(method):
        if name not in check.name:
            continue
        try:
            check()
        except CheckFailed as error:
            failures.append(Failure(method.name, check.name, str(error)))
        except AnyFailure as error:
            failures.append(Failure(method.name, check.name, described(error)))
    return failures
