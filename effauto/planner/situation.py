"""Everything a plan is made from: task, models, machine, methods, and earlier results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from effauto.budget import Budget, parse_budget
from effauto.composition import Refusal
from effauto.cost import learn_corrections
from effauto.cost.corrections import Pair
from effauto.errors import BudgetError, InputError
from effauto.hardware import calibrate, machine
from effauto.machine import Hardware
from effauto.method import Method
from effauto.model import BAG_OF_WORDS, ModelSource, find_model
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.candidates.pool import usable_methods
from effauto.planner.candidates.sizes import sources
from effauto.planner.knowledge.advice import portfolio
from effauto.planner.knowledge.experience import Pairs, earlier, experience
from effauto.planner.knowledge.prior import Prior, learn_prior
from effauto.planner.knowledge.scaling import ScratchPrior
from effauto.planner.request import HERE, Request
from effauto.planner.results import Result, latest
from effauto.plugins import Plugins
from effauto.resources import QUALITY, Figures
from effauto.store import MethodVersion, Store
from effauto.store import Situation as StoredSituation
from effauto.task import Task
from effauto.task.traits import CountTokens
from effauto.traits import FROM_SCRATCH, PLAIN_TEXT

# Recipes that together were good on tasks like this one: some cannot be used here.
ADVISED = 12
# What a recipe is judged by.
JUDGED = ("train", "inference", "model", "quality", "life", "guard")

# Stages whose methods act on what is trained already.
AFTER = ("compress", "inference")

# For who trains from scratch and names no time.
ASSUMED = "train.time<=10min"


@dataclass
class Situation:
    """The task, the models a plan may start from, the methods that can act on each.

    ``reference`` is the result of the untouched baseline, once there is one.
    """

    request: Request
    task: Task
    oracle: Oracle
    plugins: Plugins
    usable: Mapping[str, Mapping[str, Method]]
    ruled_out: list[Refusal]
    prior: Prior
    pairs: Pairs = field(default_factory=dict)
    advice: Sequence[Candidate] = ()
    reference: Result | None = None

    @property
    def untouched(self) -> Candidate:
        """The baseline: the model that was asked for, as it is."""
        return Candidate(self.request.model)

    @property
    def from_scratch(self) -> bool:
        """Whether settings are looked for on small models and short trainings."""
        facts = (source.traits.facts for source in self.oracle.models.values())
        return any(FROM_SCRATCH in found for found in facts)

    @property
    def searched(self) -> Mapping[str, Mapping[str, Method]]:
        """Of each model the methods that a search draws from.

        From scratch, where nothing is limited or weighed but training, none that saves only what
        comes after it: the time is better spent on settings.
        """
        later = self.request.budget.of_phases("inference", "model", "life", "guard")
        weighed = self.request.pareto or self.request.preference.goals
        if not self.from_scratch or later.limits or later.relative or weighed:
            return self.usable
        return {
            model: {name: method for name, method in known.items() if method.stage not in AFTER}
            for model, known in self.usable.items()
        }

    @property
    def baseline(self) -> Figures:
        """What the baseline costs and reaches at full scale: measured, else foretold."""
        quality = {QUALITY + self.task.metric: self.prior.quality(self.untouched)}
        measured = self.reference.projected() if self.reference else {}
        return self.oracle.foretell(self.untouched) | quality | measured

    @property
    def whole_budget(self) -> Budget:
        """The request's budget; what is relative to the baseline is taken from its figures."""
        asked = self.request.budget
        return asked.against(self.baseline) if asked.relative else asked

    @property
    def budget(self) -> Budget:
        """The limits that a recipe must keep (the search's own are kept by the clock)."""
        return self.whole_budget.of_phases(*JUDGED)

    def refer_to(self, results: Iterable[Result]) -> None:
        """Let the baseline's own result, at the largest scale, be what others are compared to."""
        found = [result for result in latest(results) if result.candidate == self.untouched]
        self.reference = found[0] if found else None

    @property
    def hardware(self) -> Hardware:
        return self.oracle.hardware

    def stored(self, model: str) -> StoredSituation:
        """What the store notes beside each trial of ``model``."""
        traits = self.oracle.models[model].traits
        return StoredSituation(
            self.task.name, self.task.fingerprint, self.task.traits, traits, self.hardware
        )

    def versions(self, candidate: Candidate) -> dict[str, MethodVersion]:
        """Which code of each method the candidate uses."""
        return {
            step.method: MethodVersion(
                self.oracle.methods[step.method].version, self.plugins.origin_of(step.method)
            )
            for step in candidate.recipe.steps
        }

    def learn(self, model: str, pairs: Iterable[Pair]) -> None:
        """Correct estimates for ``model`` by what was measured of it.

        What is trained from scratch is one network in several sizes: one that was not tried is
        corrected as the others are.
        """
        self.pairs.setdefault(model, []).extend(pairs)
        found = {m: learn_corrections(known) for m, known in self.pairs.items()}
        if self.from_scratch:
            alike = learn_corrections([pair for known in self.pairs.values() for pair in known])
            found = dict.fromkeys(self.oracle.models, alike) | found
        self.oracle.corrections = found


def understand(request: Request, plugins: Plugins, store: Store) -> Situation:
    """Load the task, find the models and the machine, rule out what cannot be used.

    Raises InputError for what cannot be read, and for a budget that cannot be judged.
    """
    request.prices.require_for(request.budget)
    from_scratch = request.data.kind in PLAIN_TEXT
    names = () if from_scratch else dict.fromkeys((request.model, BAG_OF_WORDS))
    models = {name: find_model(name) for name in names}
    task = request.data.load(None if from_scratch else piece_counter(models[request.model]))
    for limit in (*request.budget, *request.budget.relative):
        if limit.resource.startswith(QUALITY) and limit.resource != QUALITY + task.metric:
            raise BudgetError(f"{limit}: the metric of this task is {task.metric}")
    _check_life(request)
    for goal in request.prefer.goals:
        if goal.resource.startswith(QUALITY) and goal.resource != QUALITY + task.metric:
            raise InputError(f"{goal.resource} is not known: the metric here is {task.metric}")
    hardware = machine(request.hardware, plugins)
    if request.search_time > 0:
        if request.hardware != HERE:
            raise InputError(
                f"{request.hardware} is not this machine, so nothing can be tried on it: "
                "plan for it with --search-time 0"
            )
        if not hardware.calibrated:
            hardware = calibrate()
        hardware = _share(hardware, request.workers)
    if from_scratch:
        request, task = _timed(request, task)
        seconds = request.budget.limit_on("train.time") or 0.0
        models = dict(sources(task, hardware, seconds))
        request = replace(request, model=next(iter(models)))
    methods = plugins.methods()
    oracle = Oracle(
        task.traits, models, methods, hardware, request.prices, request.place, request.use
    )
    for name in request.pareto:
        if name not in oracle.foretell(Candidate(request.model)):
            raise InputError(f"{name} is not foretold here, so nothing can be weighed by it")
    usable, ruled_out = usable_methods(oracle)
    from effauto.store.filters import Filter
    from effauto.store.qualities import qualities

    versions = plugins.versions()
    task = replace(task, notes=(*task.notes, *_outdated(store, versions)))
    worth = qualities(store, Filter(state="finished", versions=versions))
    prior = learn_prior(worth, task.traits, task.fingerprint, methods)
    if from_scratch:
        prior = ScratchPrior.of(prior, oracle)
    situation = Situation(request, task, oracle, plugins, usable, ruled_out, prior)
    if request.search_time > 0:
        situation.advice = portfolio(worth, task.traits, task.fingerprint, ADVISED)
    for model, pairs in experience(earlier(store, hardware, versions), methods, hardware).items():
        if model in models:
            situation.learn(model, pairs)
    return situation


def _timed(request: Request, task: Task) -> tuple[Request, Task]:
    """Without a limit on its time there would be no end to training a model from scratch."""
    if request.budget.limit_on("train.time") is not None:
        return request, task
    limits = (*request.budget, *parse_budget((ASSUMED,)))
    note = f"no limit on train.time was given: {ASSUMED} is assumed"
    budget = replace(request.budget, limits=limits)
    return replace(request, budget=budget), replace(task, notes=(*task.notes, note))


def _share(hardware: Hardware, workers: int) -> Hardware:
    """What each worker has of the machine."""
    try:
        return hardware.shared(workers)
    except ValueError as error:
        raise InputError(f"this machine has {error}, too few for {workers} workers") from error


def _check_life(request: Request) -> None:
    """Raise BudgetError if costs of a whole life are asked for that nobody can tell."""
    limits = [limit.resource for limit in (*request.budget, *request.budget.relative)]
    for name in (*limits, *(goal.resource for goal in request.prefer.goals)):
        if name.startswith("life.") and request.use is None:
            raise BudgetError(f"{name} needs to know how often the model is asked: give --requests")
        if name == "life.cost" and not request.prices.currency:
            raise BudgetError(f"{name} needs prices to reckon with, as in --price 0.5EUR/hour")


def piece_counter(source: ModelSource) -> CountTokens | None:
    """How many word pieces the model makes of an input; None for a bag of words."""
    if source.folder is None:
        return None
    from effauto.execution.encoding import count_pieces

    folder = source.folder
    return lambda rows, kind: count_pieces(folder, rows, kind)


def _outdated(store: Store, versions: Mapping[str, str]) -> Iterator[str]:
    from effauto.store.query import outdated

    if found := outdated(store, versions):
        yield f"{found} of your trials do not count: their methods have another version now"
