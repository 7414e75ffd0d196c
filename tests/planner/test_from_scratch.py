"""Plans for models that are trained from scratch: sizes and passes that the budget can train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from effauto.budget import parse_budget
from effauto.cost.corrections import Pair
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.climbing import stretched
from effauto.planner.knowledge.scaling import reads
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.sizing import RUNGS, SHORT_SLICE, Sizing
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.store import Store
from effauto.store.session import open_database
from effauto.traits import LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING

WORDS = tuple("abcdefghijkl")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "count.txt"
    lines = (" ".join(WORDS[n % 12 :] + WORDS[: n % 7]) + f" {n}\n" for n in range(4000))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def situation(text: Path, folder: Path, *limits: str) -> Situation:
    folder.mkdir(exist_ok=True)
    store = Store(open_database(folder / "results.db", create=True))
    data = DataRequest(str(text), LANGUAGE_MODELING)
    return understand(Request(data, budget=parse_budget(limits)), load_plugins(), store)


def width(name: str) -> int:
    return int(name.partition("@")[0].removeprefix("llama-").partition("x")[0])


def test_more_time_trains_larger_models(text: Path, tmp_path: Path) -> None:
    chosen = [
        width(situation(text, tmp_path / t, f"train.time<={t}").request.model)
        for t in ("10s", "10min", "30h")
    ]
    assert chosen == sorted(chosen)
    assert chosen[0] < chosen[-1]


def test_without_a_limit_ten_minutes_are_assumed_and_said(text: Path, tmp_path: Path) -> None:
    found, timed = situation(text, tmp_path), situation(text, tmp_path, "train.time<=10min")
    assert found.request.model == timed.request.model
    assert found.budget.limit_on("train.time") == 600.0
    assert found.task.notes[-1] == "no limit on train.time was given: train.time<=10min is assumed"


def test_the_smallest_is_always_there_and_a_bag_of_words_never(text: Path, tmp_path: Path) -> None:
    found = situation(text, tmp_path, "train.time<=2h").oracle.models
    assert min(map(width, found)) == 64
    assert all(name.startswith("llama-") for name in found)


def test_what_needs_a_pretrained_model_is_ruled_out(text: Path, tmp_path: Path) -> None:
    found = situation(text, tmp_path)
    reasons = {refusal.method: refusal.sentence for refusal in found.ruled_out}
    assert any("requires pretrained" in sentence for sentence in reasons.values())
    used = [method for known in found.usable.values() for method in known.values()]
    assert all("pretrained" not in method.requires for method in used)


def test_the_longest_training_keeps_the_budget_and_is_foretold_to_be_best(
    text: Path, tmp_path: Path
) -> None:
    found = situation(text, tmp_path, "train.time<=5min")
    oracle, most = found.oracle, 300.0
    for candidate in stretched(oracle, found.usable, found.budget):
        assert oracle.foretell(candidate)["train.time"].value <= most
        assert (
            found.prior.gain(candidate) >= found.prior.gain(Candidate(candidate.model, Recipe(())))
            or oracle.foretell(Candidate(candidate.model))["train.time"].value > most
        )


def test_parameters_that_lie_idle_promise_nothing(text: Path, tmp_path: Path) -> None:
    found = situation(text, tmp_path, "train.time<=10min")
    if "mixture-of-experts" not in found.oracle.methods:
        pytest.skip("the plugin of mixture-of-experts is not here")
    dense, routed = (
        found.oracle.work(Candidate(found.request.model, Recipe.of(*names)))
        for names in ((), ("mixture-of-experts",))
    )
    assert routed.layer_parameters > 2 * dense.layer_parameters
    assert reads(routed) == pytest.approx(reads(dense), rel=0.05)


@pytest.mark.parametrize(
    ("kind", "family"), [(LANGUAGE_MODELING, "llama"), (MASKED_LANGUAGE_MODELING, "eurobert")]
)
def test_a_plan_at_once(
    kind: str, family: str, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from effauto.cli import main

    monkeypatch.setenv("EFFAUTO_DB", str(tmp_path / "results.db"))
    asked = ["plan", str(text), "--task", kind, "--search-time", "0"]
    found = CliRunner().invoke(main, [*asked, "--from-scratch", "--budget", "train.time<=1min"])
    assert found.exit_code == 0, found.output
    assert f"For count, take {family}-" in found.output
    assert "quality.compression" in found.output
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 2
    wrong = CliRunner().invoke(main, ["plan", str(text), "--from-scratch"])
    assert wrong.exit_code == 2


def test_a_trial_takes_a_small_part_of_the_search(text: Path, tmp_path: Path) -> None:
    found = situation(text, tmp_path, "train.time<=10min")
    search = 300.0
    found.request = replace(found.request, search_time=search)
    sizing = Sizing(found, lambda candidate, fidelity: False)
    for model in found.oracle.models:
        trial = sizing.sized(Candidate(model), search)
        if trial is not None:
            least = trial.fidelity == min(RUNGS)
            assert least or trial.seconds <= SHORT_SLICE * search


def test_a_size_that_nobody_tried_is_corrected_as_the_others_are(
    text: Path, tmp_path: Path
) -> None:
    found = situation(text, tmp_path, "train.time<=10min")
    tried, other, *_ = found.oracle.models
    before = found.oracle.foretell(Candidate(other))["train.time"].value
    foretold = found.oracle.foretell(Candidate(tried))["train.time"].value
    found.learn(tried, [Pair("train.time", foretold, 2 * foretold)] * 20)
    assert 1.5 < found.oracle.foretell(Candidate(other))["train.time"].value / before < 2.1
