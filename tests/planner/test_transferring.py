"""What was tuned on small models is planned for the size and the passes that the budget is for."""

from __future__ import annotations

import pytest

from effauto.budget import parse_budget
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import singles
from effauto.planner.knowledge.scaling import reads
from effauto.planner.request import DataRequest, Request
from effauto.planner.results import Result
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.opening import plain
from effauto.planner.trials.transferring import transferred
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.resources import exactly, share_of
from effauto.store import Store
from effauto.store.session import open_database
from effauto.traits import LANGUAGE_MODELING
from effauto.transfer.law import CHINCHILLA, ScalingLaw

UNTOUCHED = Recipe()
METRIC = "quality.compression"
TRUE = ScalingLaw(0.12, 2.0, 30.0, CHINCHILLA.alpha, CHINCHILLA.beta)


@pytest.fixture(scope="module")
def situation(tmp_path_factory: pytest.TempPathFactory) -> Situation:
    folder = tmp_path_factory.mktemp("transfer")
    lines = (f"line {n} of {n % 13} and {n % 7} more words to read\n" for n in range(30_000))
    (folder / "text.txt").write_text("".join(lines), encoding="utf-8")
    store = Store(open_database(folder / "results.db", create=True))
    data = DataRequest(str(folder / "text.txt"), LANGUAGE_MODELING)
    # A machine whose rates no calibration changes, and which some method lets train faster.
    asked = Request(data, budget=parse_budget(("train.time<=10min",)), hardware="rtx3090")
    return understand(asked, load_plugins(), store)


def result(
    situation: Situation, model: str, share: float, recipe: Recipe = UNTOUCHED, worse: float = 0.0
) -> Result:
    candidate = Candidate(model, recipe)
    oracle = situation.oracle
    quality = 1 - TRUE.loss(*reads(oracle.work(candidate).on_share(share))) - worse
    foretold = oracle.foretell(candidate, share)
    return Result(
        candidate,
        share,
        0,
        measured=foretold | {METRIC: share_of(quality, 500, "made up")},
        foretold=foretold,
        foretold_full=oracle.foretell(candidate),
    )


def small(situation: Situation) -> list[Result]:
    names = sorted(
        situation.oracle.models, key=lambda n: situation.oracle.models[n].traits.parameters
    )
    return [result(situation, name, share) for name in names[:2] for share in (0.125, 0.25, 0.5)]


def test_the_recipe_is_planned_as_large_and_as_long_as_pays(situation: Situation) -> None:
    results = small(situation)
    best = max(results, key=lambda r: r.measured[METRIC].value)
    found = transferred(situation, results, best)
    assert found is not None
    oracle = situation.oracle
    assert oracle.foretell(found.candidate)["train.time"].value <= 600.0
    true = 1 - TRUE.loss(*reads(oracle.work(found.candidate)))
    assert found.quality.value == pytest.approx(true, abs=0.01)
    assert true > best.measured[METRIC].value
    assert "tuned on" in found.notes[0]
    assert "transferred to" in found.notes[0] or "as many passes" in found.notes[0]
    assert "was not measured" in found.notes[1]


@pytest.mark.parametrize("worse", [0.0, 0.05])
def test_who_trains_faster_reads_more_unless_it_learns_less(
    situation: Situation, worse: float
) -> None:
    results = small(situation)
    pool = list(singles(situation.oracle, situation.usable))
    swift = [c for c in plain(situation, pool) if c.recipe.steps]
    if not swift:
        pytest.skip("no method here trains faster")
    model, recipe = swift[0].model, swift[0].recipe
    tried = [result(situation, model, share, recipe, worse) for share in (0.125, 0.25, 0.5)]
    best = max(results, key=lambda r: r.measured[METRIC].value)
    found = transferred(situation, [*results, *tried], best)
    assert found is not None
    names = {step.method for step in recipe.steps}
    taken = names <= {step.method for step in found.candidate.recipe.steps}
    assert not (taken and worse)
    without = transferred(situation, results, best)
    assert without is not None
    assert found.quality.value >= without.quality.value - 1e-3


def test_the_opening_reads_all_of_the_text(situation: Situation) -> None:
    pool = list(singles(situation.oracle, situation.usable))
    for candidate in plain(situation, pool):
        work, before = situation.oracle.work(candidate), situation.oracle.untouched[candidate.model]
        assert work.examples * work.train_tokens == before.examples * before.train_tokens


def test_one_trial_tells_nothing(situation: Situation) -> None:
    results = small(situation)[:1]
    assert transferred(situation, results, results[-1]) is None


def test_what_is_best_already_stays(situation: Situation) -> None:
    results = small(situation)
    best = max(results, key=lambda r: r.measured[METRIC].value)
    found = transferred(situation, results, best)
    assert found is not None
    whole = result(situation, found.candidate.model, 1.0)
    whole.candidate = found.candidate
    whole.measured = {**whole.measured, METRIC: exactly(0.9999, "1")}
    again = transferred(situation, [*results, whole], whole)
    assert again is None or again.quality.value >= 0.9999


def test_who_took_twice_as_long_gets_fewer_passes(situation: Situation) -> None:
    results = small(situation)
    slow = small(situation)
    for one in slow:
        seconds = one.measured["train.time"].value
        one.measured = {**one.measured, "train.time": exactly(2 * seconds, "s")}
    found = [transferred(situation, some, some[-1]) for some in (results, slow)]
    seconds = [situation.oracle.foretell(f.candidate)["train.time"].value for f in found if f]
    assert len(seconds) == 2
    assert seconds[1] <= 300.0
    assert seconds[1] < seconds[0]
