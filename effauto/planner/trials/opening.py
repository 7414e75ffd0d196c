"""What to try first in a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.climbing import AROUND
from effauto.planner.candidates.pool import excess
from effauto.planner.situation import Situation
from effauto.traits import FROM_SCRATCH

# Of each model's few cheap candidates; of the ways to learn from its features as they are; of
# what earlier trials recommend.
CHEAP, FROZEN, KNOWN = 4, 2, 3
# A candidate is cheap if all of its training takes no more than this part of the search.
CHEAP_SHARE = 0.12
# What is missed by less than an estimate errs (as a logarithm) is not missed.
LITTLE = 0.05
# Sizes that are tried as they are where models are trained from scratch.
SMALLEST = 2
# Neither may be cheap for leaving many labels out.
LABELS_KEPT = 0.9
# What a method leaves as it is if it does not make the network smaller; nor freezes any of it.
NETWORK = ("layers", "stored_layers", "attention_width", "feedforward", "density")
WHOLE = (*NETWORK, "backward_depth", "weight_gradients")
# Nor reads less.
READ = (*WHOLE, "examples", "train_tokens", "backward_passes")


def opening(
    situation: Situation, pool: Sequence[Candidate]
) -> tuple[list[Candidate], frozenset[Candidate]]:
    """What is plain and what earlier trials advise, cheapest first; and which only they advise."""
    first = plain(situation, pool)
    led = advised(situation, pool, first)
    return in_order(situation, [*first, *led]), frozenset(led)


def in_order(situation: Situation, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Each once, what trains fastest first."""
    return sorted(dict.fromkeys(candidates), key=lambda c: _seconds(situation, c))


def plain(situation: Situation, pool: Sequence[Candidate]) -> list[Candidate]:
    """Each model untouched, the plainest uses of its features as they are, the simplest that cost
    seconds, trainings of the whole network and the swiftest of any.

    Of each kind, what is foretold to keep the budget comes before what merely may. The untouched
    models are tried even where they break it: all else is compared to them.
    """
    allowed = _allowed(situation, pool)
    first = list(map(Candidate, _to_compare(situation)))
    for model in situation.oracle.models:
        if FROM_SCRATCH in situation.oracle.models[model].traits.facts:
            continue
        ours = [c for c in allowed if c.model == model and _keeps_labels(situation, c)]
        whole = [c for c in ours if _leaves(situation, c, WHOLE)]
        first += _frozen(situation, ours) + _simplest(situation, ours)
        first += _swiftest(situation, whole) + _swiftest(situation, ours)
    return first + _small(situation, allowed)


def _to_compare(situation: Situation) -> list[str]:
    """The models that all else is compared to: all, but from scratch the smallest, from which the
    law of the others is found.
    """
    models = situation.oracle.models
    by_size = sorted(models, key=lambda name: models[name].traits.parameters)
    return by_size[:SMALLEST] if situation.from_scratch else list(models)


def _small(situation: Situation, allowed: Sequence[Candidate]) -> list[Candidate]:
    """Of what is trained from scratch, the swiftest way, tried with the smallest model.

    Who trains the model that the budget is for faster reads more in the same time; what a way of
    training does to quality is alike at any size, what another network does is not.
    """
    models, methods = situation.oracle.models, situation.oracle.methods
    sizes = {n: m.traits.parameters for n, m in models.items() if FROM_SCRATCH in m.traits.facts}
    if not sizes:
        return []
    target, smallest = next(iter(sizes)), min(sizes, key=lambda name: sizes[name])
    same = (c for c in allowed if c.model == target and _leaves(situation, c, READ))
    trained = [
        c for c in same if all(methods[s.method].stage not in AROUND for s in c.recipe.steps)
    ]
    plain = _seconds(situation, Candidate(target))
    swift = [c for c in _swiftest(situation, trained) if _seconds(situation, c) < plain]
    return [Candidate(smallest, candidate.recipe) for candidate in swift]


def advised(
    situation: Situation, pool: Sequence[Candidate], first: Sequence[Candidate]
) -> list[Candidate]:
    """What is known to be good beside ``first``: on tasks like this one; then by its methods."""
    prior, oracle = situation.prior, situation.oracle
    if not prior.trials:
        return []
    usable = (c for c in situation.advice if c.model in oracle.models)
    covering = _allowed(situation, [c for c in usable if oracle.composition(c).legal])
    covering.sort(key=lambda c: _missed(situation, c))
    fresh = [c for c in covering if c not in first][:KNOWN]

    def key(candidate: Candidate) -> tuple[float, ...]:
        missed, gain = _missed(situation, candidate), prior.sure_gain(candidate)
        return missed, -gain, _seconds(situation, candidate)

    ranked = sorted(_allowed(situation, pool), key=key)
    tried = {_kind(situation, candidate) for candidate in (*first, *fresh)}
    others = (c for c in ranked if _kind(situation, c) not in tried)
    return [*fresh, *_of_each_kind(situation, others)[: KNOWN - len(fresh)]]


def _allowed(situation: Situation, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those with a method that may keep the budget."""
    budget, foretell = situation.budget, situation.oracle.foretell
    return [c for c in candidates if c.recipe.steps and not budget.surely_broken(foretell(c))]


def _keeps_labels(situation: Situation, candidate: Candidate) -> bool:
    labels = situation.oracle.work(candidate).labels
    return labels >= LABELS_KEPT * situation.task.traits.examples


def _leaves(situation: Situation, candidate: Candidate, names: Iterable[str]) -> bool:
    """Whether these parts of the work are what they are without any method."""
    oracle = situation.oracle
    work, untouched = oracle.work(candidate), oracle.untouched[candidate.model]
    return all(getattr(work, name) == getattr(untouched, name) for name in names)


def _frozen(situation: Situation, allowed: Sequence[Candidate]) -> list[Candidate]:
    """The plainest that keep the budget and learn from what the network says as it is; from what a
    smaller one says, if the whole one keeps no budget.

    They share one pass over the data, and often nothing that costs minutes is better.
    """

    def as_it_is(candidate: Candidate) -> bool:
        work = situation.oracle.work(candidate)
        networks = situation.oracle.models[candidate.model].traits.family != "linear"
        return networks and not work.backward_passes

    def key(candidate: Candidate) -> tuple[float, ...]:
        missed, steps = _missed(situation, candidate), len(candidate.recipe.steps)
        changed = not _leaves(situation, candidate, NETWORK)
        return missed, changed, steps, _seconds(situation, candidate)

    return _of_each_kind(situation, sorted(filter(as_it_is, allowed), key=key))[:FROZEN]


def _simplest(situation: Situation, allowed: Sequence[Candidate]) -> list[Candidate]:
    """Of those that train on all data in a small part of the search, what keeps the budget, then
    what is known to do well, then the fewest methods, those that change the network counted twice.

    One of each network and way to train it: what is done to the data before, and to the weights
    after, changes less.
    """
    prior, methods = situation.prior, situation.oracle.methods
    limit = CHEAP_SHARE * situation.request.search_time
    seconds = {c: _seconds(situation, c) for c in allowed}
    cheap = [c for c in allowed if seconds[c] <= limit]

    def key(candidate: Candidate) -> tuple[float, ...]:
        names = [step.method for step in candidate.recipe.steps]
        changes = len(names) + sum(methods[name].stage == "design" for name in names)
        known = prior.sure_gain(candidate) if prior.informed else 0.0
        return _missed(situation, candidate), -known, changes, seconds[candidate]

    return _of_each_kind(situation, sorted(cheap, key=key))[:CHEAP]


def _of_each_kind(situation: Situation, ordered: Iterable[Candidate]) -> list[Candidate]:
    """The first of each network and way to train it."""
    found: dict[tuple[object, ...], Candidate] = {}
    for candidate in ordered:
        found.setdefault(_kind(situation, candidate), candidate)
    return list(found.values())


def _kind(situation: Situation, candidate: Candidate) -> tuple[object, ...]:
    """The same for candidates that train the same parts of a network of the same shape, and that
    learn to decide by the same methods if the network itself learns nothing.
    """
    methods, work = situation.oracle.methods, situation.oracle.work(candidate)
    shape = (getattr(work, name) for name in (*WHOLE, "parameters"))
    named = [step.method for step in candidate.recipe.steps]
    heads = [n for n in named if methods[n].stage == "finetune"] if not work.backward_passes else []
    return candidate.model, work.backward_passes > 0, *shape, *heads


def _swiftest(situation: Situation, allowed: Sequence[Candidate]) -> list[Candidate]:
    """Of those that train the network by gradients, the quickest.

    A method more must pay for itself by taking a third of the time away.
    """
    trained = [c for c in allowed if situation.oracle.work(c).backward_passes > 0]

    def price(candidate: Candidate) -> tuple[float, ...]:
        seconds = _seconds(situation, candidate) * 1.5 ** len(candidate.recipe.steps)
        return _missed(situation, candidate), seconds

    return sorted(trained, key=price)[:1]


def _seconds(situation: Situation, candidate: Candidate) -> float:
    return situation.oracle.foretell(candidate)["train.time"].value


def _missed(situation: Situation, candidate: Candidate) -> float:
    """By how much it is foretold to miss the limit it misses most, as a logarithm."""
    missed, _ = excess(situation.oracle.foretell(candidate), situation.budget)
    return missed if missed > LITTLE else 0.0
