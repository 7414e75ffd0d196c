"""Why a method is not in a plan: the rule, the trial or the estimate that decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from effauto.budget import Budget
from effauto.errors import SettingError
from effauto.method import no_such_method
from effauto.model import BAG_OF_WORDS
from effauto.planner.answers.instant import foretell
from effauto.planner.answers.plan import Plan
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import with_settings
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import JUDGED, Situation, understand
from effauto.plugins import Plugins
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figures
from effauto.store import Store, TrialRecord, open_store

# Sentences on so many of a kind: a reader wants the reason, not the record.
MOST = 3


def why_not(plan: Plan, name: str, plugins: Plugins, store: str | None = None) -> list[str]:
    """Sentences on why the plan is without the method ``name``.

    What decided comes first: a rule; then what was measured with it in the plan's search; then what
    is foretold of it, alone and added to the plan's recipe. Raises SettingError if there is no such
    method, and whatever reading the plan's data raises.
    """
    methods = plugins.methods()
    if name not in methods:
        raise SettingError(no_such_method(name, methods))
    if name in plan.recipe.settings:
        return [f"{name} is in the plan."]
    for refusal in plan.ruled_out:
        if refusal.method == name:
            return [f"{refusal.sentence}."]
    database = open_store(store)
    try:
        asked = _Asked(plan, name, _situation(plan, plugins, database))
        return [*asked.measured(_trials(database, plan)), *asked.foretold()]
    finally:
        database.close()


def _situation(plan: Plan, plugins: Plugins, store: Store) -> Situation:
    """The plan's, on the machine it is for, with the network that it was asked about."""
    named = (plan.model, *(other.model for other in plan.alternatives))
    request = Request(
        DataRequest.from_json(plan.data),
        next((name for name in named if name != BAG_OF_WORDS), plan.model),
        plan.budget,
        seed=plan.seed,
        prices=plan.prices,
        place=plan.place,
        use=plan.use,
    )
    found = understand(request, plugins, store)
    found.oracle.hardware = plan.hardware
    return found


def _trials(store: Store, plan: Plan) -> list[TrialRecord]:
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    study = plan.search.get("study")
    if not isinstance(study, int):
        return []
    found = trials(store, Filter(study=study))
    return [trial for trial in found if trial.fingerprint == plan.fingerprint]


@dataclass(frozen=True)
class _Asked:
    plan: Plan
    name: str
    situation: Situation

    def measured(self, trials: Sequence[TrialRecord]) -> Iterator[str]:
        """What came of the trials with it, the best first."""
        ours = [trial for trial in trials if self.name in trial.recipe.settings]
        finished = [trial for trial in ours if trial.state == "finished"]
        finished.sort(key=lambda trial: trial.value(self._quality) or 0.0, reverse=True)
        for trial in finished[:MOST]:
            share = f"on {trial.fidelity:.0%} of the data" if trial.fidelity < 1 else "in full"
            yield (
                f"Tried {share}: {trial.recipe} reached {self._compared(trial.measured)}"
                f"{self._broken(trial.measured)}."
            )
        failed = [trial for trial in ours if trial.state == "failed"]
        if failed:
            yield f"{len(failed)} of {len(ours)} trials with it failed: {failed[0].error[:200]}."

    def foretold(self) -> Iterator[str]:
        """What is foretold of it: alone on each model that it can act on, and in the recipe."""
        oracle, chosen = self.situation.oracle, Candidate(self.plan.model, self.plan.recipe)
        alone = [Candidate(model, Recipe.of(self.name)) for model in oracle.models]
        legal = [candidate for candidate in alone if oracle.composition(candidate).legal]
        for candidate in legal:
            yield self._of(f"Alone, on {candidate.model},", candidate)
        added = with_settings(chosen, {**chosen.recipe.settings, self.name: {}})
        if added not in legal:
            yield self._of("Added to the plan's recipe", added)

    def _of(self, what: str, candidate: Candidate) -> str:
        composition = self.situation.oracle.composition(candidate)
        if not composition.legal:
            return f"{what} it is refused: {composition.refusals[0].sentence}."
        figures = dict(foretell(self.situation, candidate))
        if not self.situation.prior.trials:  # nothing tells at what level qualities lie here
            del figures[self._quality]
        return f"{what} it is foretold {self._compared(figures)}{self._broken(figures)}."

    @property
    def _quality(self) -> str:
        return QUALITY + self.plan.task.metric

    def _compared(self, figures: Figures) -> str:
        """Its quality beside the plan's, then the costs that differ most from the plan's."""
        metric, ours = self.plan.task.metric, {**self.plan.estimate, **self.plan.measurement}
        told = []
        if self._quality in figures and self._quality in ours:
            told.append(
                f"{metric} {figures[self._quality].value:.3f} against "
                f"{ours[self._quality].value:.3f}"
            )
        for name in ("inference.latency", "model.size", "train.time"):
            if name in figures and name in ours:
                here, there = figures[name], ours[name]
                told.append(
                    f"{name.partition('.')[2]} {show(here.value, here.unit)} against "
                    f"{show(there.value, there.unit)}"
                )
        return ", ".join(told)

    def _broken(self, figures: Figures) -> str:
        judged: Budget = self.plan.budget.of_phases(*JUDGED)
        known = {name: figure.value for name, figure in figures.items()}
        broken = [limit for limit in judged.broken(known) if limit.resource in known]
        return f", which breaks {' and '.join(map(str, broken))}" if broken else ""
