"""The ledger of an answer: its account, those of its rivals, and what reaches the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from effauto.cost.account import NOTHING, Account, Spent, Tariff, account
from effauto.cost.ledger import Ledger, Reached, Target, paying
from effauto.planner.answers.plan import Alternative
from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.prior import UNKNOWN
from effauto.planner.situation import Situation
from effauto.resources import QUALITY, Figures
from effauto.workload import Workload

MOST_REACHED = 5


def ledger_of(
    situation: Situation,
    candidate: Candidate,
    estimate: Figures,
    alternatives: Sequence[Alternative],
    search: Mapping[str, Any],
) -> Ledger:
    """What ``candidate`` costs beside the untouched model that was asked for.

    ``search`` has the seconds and joules of effauto's own work.
    """
    untouched = Candidate(situation.request.model)
    known = {Candidate(o.model, o.recipe): o.figures for o in alternatives} | {candidate: estimate}
    known.setdefault(untouched, _foretold(situation, untouched))
    accounts = {c: _account(situation, c, figures) for c, figures in known.items()}
    plan = _account(situation, candidate, estimate, _tuning(situation, search))
    others = {c: found for c, found in accounts.items() if c != candidate}
    cheapest = min(others, key=lambda c: others[c].training.joules, default=untouched)
    rivals = [others[c] for c in dict.fromkeys((untouched, cheapest)) if c in others]
    currency = situation.request.prices.currency
    return Ledger(
        plan=plan,
        baseline=accounts[untouched],
        currency=currency,
        target=_target(situation, known, accounts, untouched),
        break_even=paying(plan, rivals, currency),
    )


def _foretold(situation: Situation, candidate: Candidate) -> Figures:
    quality = {QUALITY + situation.task.metric: situation.prior.quality(candidate)}
    return situation.oracle.foretell(candidate) | quality


def _account(
    situation: Situation, candidate: Candidate, figures: Figures, tune: Spent = NOTHING
) -> Account:
    untouched = situation.oracle.untouched[candidate.model]
    steps = _steps(situation, candidate, untouched)
    return account(str(candidate), untouched, steps, figures, _tariff(situation), tune)


def _steps(
    situation: Situation, candidate: Candidate, work: Workload
) -> Iterator[tuple[str, Workload]]:
    """Each step's stage, and the work that the recipe makes up to it."""
    for method, setting in situation.oracle.composition(candidate).steps:
        work = method.cost(work, setting)
        yield method.stage, work


def _tuning(situation: Situation, search: Mapping[str, Any]) -> Spent:
    if not search["seconds"]:
        return NOTHING
    return _tariff(situation).spent(0.0, search["seconds"], search["energy"] or None)


def _tariff(situation: Situation) -> Tariff:
    return Tariff(situation.hardware, situation.request.prices, situation.request.place)


def _target(
    situation: Situation,
    known: Mapping[Candidate, Figures],
    accounts: Mapping[Candidate, Account],
    untouched: Candidate,
) -> Target | None:
    """The limit on quality, else what the untouched model reaches, if that is known."""
    name = QUALITY + situation.task.metric
    limit, figure = situation.budget.limit_on(name), known[untouched][name]
    if limit is None and figure.note == UNKNOWN:
        return None
    quality = figure.value if limit is None else limit
    reached = [
        Reached(accounts[candidate].name, accounts[candidate].training)
        for candidate, figures in known.items()
        if name in figures and figures[name].value >= quality
    ]
    reached.sort(key=lambda one: one.training.joules)
    of = f"{untouched}, foretold or measured" if limit is None else "the budget"
    return Target(quality, of, tuple(reached[:MOST_REACHED]))
