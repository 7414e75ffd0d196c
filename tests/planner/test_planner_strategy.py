"""What is tried next: the plain first, nothing twice, nothing that cannot end in time."""

from __future__ import annotations

from measuring import measured

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import few
from effauto.planner.trials.opening import opening
from effauto.recipe import Recipe


def run_through(strategy, trials, quality=0.8):
    done = []
    for _ in range(trials):
        trial = strategy.next(500.0)
        if trial is None:
            break
        done.append((trial.candidate, trial.fidelity))
        strategy.tell(measured(strategy, trial.candidate, trial.fidelity, quality))
    return done


def test_the_opening_starts_with_what_is_untouched_and_is_legal(strategy):
    made = strategy()
    assert made.opening.candidates[0] == Candidate("bag-of-words")
    assert len(set(made.opening.candidates)) == len(made.opening.candidates)
    assert all(made.situation.oracle.composition(c).legal for c in made.opening.candidates)


def test_nothing_is_tried_twice_on_as_much_data(strategy):
    done = run_through(strategy(), 15)
    assert len(done) >= 8
    assert len(set(done)) == len(done)


def test_what_the_surrogate_proposes_is_legal_and_can_end_in_time(strategy):
    made = strategy(portfolio=[])
    for candidate, fidelity in run_through(made, 10):
        assert made.situation.oracle.composition(candidate).legal
        assert 0 < fidelity <= 1
        assert made.seconds(candidate, fidelity) < 500


def test_nothing_is_begun_that_cannot_end(strategy):
    assert strategy().next(0.01) is None


def test_a_promotion_that_failed_is_not_tried_again(strategy):
    made = strategy(portfolio=[])
    promising = Candidate("bag-of-words", Recipe.of("near-dedup"))
    made.tell(measured(made, Candidate("bag-of-words"), 1.0, 0.5))
    made.tell(measured(made, promising, 0.25, 0.9))
    trial = made.next(500.0)
    assert trial.candidate == promising
    assert trial.fidelity > 0.25
    made.tell_failure(trial.candidate, trial.fidelity)
    assert promising not in [made.next(500.0).candidate for _ in range(3)]


def test_a_failure_is_not_proposed_again(strategy):
    made, failed = strategy(portfolio=[]), []
    for _ in range(12):
        trial = made.next(500.0)
        assert trial.candidate not in failed
        failed.append(trial.candidate)
        made.tell_failure(trial.candidate, trial.fidelity)
    assert sum(made.failed.values()) == 12


def test_a_given_recipe_is_all_that_is_tried(strategy):
    recipe = Recipe.of("random-subset")
    made = strategy(portfolio=[Candidate("bag-of-words", recipe)], recipe=recipe)
    done = run_through(made, 5)
    assert {candidate.recipe for candidate, _ in done} == {recipe}
    assert done[-1][1] == 1.0
    assert made.next(500.0) is None


def learns_from_frozen(oracle, candidate):
    work, untouched = oracle.work(candidate), oracle.untouched[candidate.model]
    if oracle.models[candidate.model].traits.family == "linear":
        return False
    return not work.backward_passes and work.layers == untouched.layers


def test_the_opening_uses_features_as_they_are_within_the_budget(situation, tiny_model):
    free = situation(model=tiny_model, search_time=600.0)
    size = free.oracle.foretell(Candidate(str(tiny_model)))["model.size"].value
    known = situation(f"model.size<={0.8 * size} byte", model=tiny_model, search_time=600.0)
    first, _ = opening(known, few(known.oracle, known.usable))
    frozen = [c for c in first if learns_from_frozen(known.oracle, c)]
    assert frozen
    assert all(known.oracle.foretell(c)["model.size"].value <= 0.8 * size for c in frozen)


def test_what_is_frozen_goes_on_only_after_the_portfolio(strategy, tiny_model):
    made = strategy(model=tiny_model)
    oracle = made.situation.oracle
    frozen = next(c for c in made.opening.candidates if learns_from_frozen(oracle, c))
    made.tell(measured(made, frozen, 1.0, 0.99))
    made.opening.candidates = [Candidate("bag-of-words")]
    assert made.next(500.0).candidate == Candidate("bag-of-words")
    made.opening.candidates = []
    following = made.next(500.0).candidate
    assert oracle.trained_part(following) == oracle.trained_part(frozen)


def test_the_opening_prefers_what_is_foretold_to_keep_the_budget(situation, tiny_model):
    free = situation(model=tiny_model, search_time=600.0)
    size = free.oracle.foretell(Candidate(str(tiny_model)))["model.size"].high
    limit = 0.999 * size  # what changes nothing in size may just keep it, and is likely not to
    known = situation(f"model.size<={limit} byte", model=tiny_model, search_time=600.0)
    untouched = known.oracle.foretell(Candidate(str(tiny_model)))
    assert not known.budget.surely_broken(untouched)
    first, _ = opening(known, few(known.oracle, known.usable))
    tried = [c for c in first if c.model == str(tiny_model) and c.recipe.steps]
    assert len(tried) >= 4
    assert all(known.oracle.foretell(c)["model.size"].value <= limit for c in tried)
