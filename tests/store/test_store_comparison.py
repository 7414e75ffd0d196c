"""Comparing recipes, what methods do, the best that is known, counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import HARDWARE, RECIPE, SITUATION, finished, measured

from effauto.budget import parse_budget
from effauto.errors import InputError, StoreError
from effauto.planner.knowledge.known import best_known
from effauto.preference import parse_preference
from effauto.recipe import Recipe
from effauto.store import Store
from effauto.store.comparison import compare
from effauto.store.filters import Filter
from effauto.store.marginal import by_method, marginals
from effauto.store.seen import metrics, seen
from effauto.store.setting import TargetSetting, mixture
from effauto.store.statistics import statistics

NONE, SQUEEZE = Recipe(), Recipe.of("squeeze")
LATENCY = "inference.latency"


def of(found, resource):
    return next(d for d in found.differences if d.resource == resource)


def test_recipes_are_compared_by_the_seeds_that_both_have(store: Store) -> None:
    for seed, (one, other) in enumerate([(0.80, 0.82), (0.81, 0.84), (0.79, 0.82)]):
        a = finished(store, NONE, quality=one, latency=0.004, seed=seed)
        b = finished(store, SQUEEZE, quality=other, latency=0.002, seed=seed)
    finished(store, SQUEEZE, quality=0.1, seed=77)
    found = compare(store, a, b)
    assert len(found.a) == len(found.b) == 3
    quality = of(found, "quality.accuracy")
    assert quality.change == pytest.approx(0.08 / 3)
    assert 0 < quality.low < quality.change < quality.high
    assert quality.better > 0.95
    latency = of(found, LATENCY)
    assert latency.change == pytest.approx(0.5)
    assert latency.better > 0.99  # less is better
    back = of(compare(store, b, a), "quality.accuracy")
    assert back.change == pytest.approx(-quality.change)
    assert back.better == pytest.approx(1 - quality.better)


def test_one_trial_each_is_judged_by_its_own_ranges(store: Store) -> None:
    a, b = finished(store, NONE, quality=0.90), finished(store, SQUEEZE, quality=0.905)
    quality = of(compare(store, a, b), "quality.accuracy")
    assert quality.low < 0 < quality.high
    assert 0.5 < quality.better < 0.75


def test_times_of_two_settings_are_left_out_unless_forced(store: Store) -> None:
    a = finished(store, NONE)
    other = replace(
        SITUATION, fingerprint="fingerprint of questions", hardware=replace(HARDWARE, threads=1)
    )
    b = store.begin_trial(SQUEEZE, other, purpose="search", seed=0)
    store.finish_trial(b, measured())
    found = compare(store, a, b)
    assert [d.resource for d in found.differences] == ["quality.accuracy"]
    assert "inference.latency measured in another setting" in found.left_out
    assert of(compare(store, a, b, forced=True), LATENCY).change == pytest.approx(1)


def test_what_is_not_alike_is_refused(store: Store) -> None:
    a, mail = finished(store, NONE), finished(store, NONE, task="mail")
    run = finished(store, NONE, purpose="run")
    failed = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=5)
    store.fail_trial(failed, "it failed")
    for other, reason in ((mail, "task"), (run, "split"), (failed, "failed"), (99, "no trial")):
        with pytest.raises(StoreError, match=reason):
            compare(store, a, other)


def test_a_method_is_judged_by_recipes_with_and_without_it(store: Store) -> None:
    both = Recipe.of("shrink", "squeeze")
    for task, gain in (("mail", 0.02), ("questions", 0.04)):
        finished(store, NONE, quality=0.8, latency=0.004, task=task)
        finished(store, SQUEEZE, quality=0.8 + gain, latency=0.002, task=task)
    finished(store, Recipe.of("shrink"), quality=0.70, latency=0.003, task="mail")
    finished(store, both, quality=0.71, latency=0.001, task="mail")
    finished(store, both, quality=0.99, seed=3, task="mail")  # no other has this seed
    wanted = Filter()
    assert metrics(store, wanted) == ["quality.accuracy"]
    found = by_method(marginals(seen(store, wanted, ["quality.accuracy", LATENCY])))
    squeeze = found["squeeze"]["quality.accuracy"]
    assert (squeeze.pairs, squeeze.tasks) == (3, 2)
    assert squeeze.change == pytest.approx(0.02)
    assert found["squeeze"][LATENCY].change == pytest.approx(0.5)
    assert found["shrink"]["quality.accuracy"].pairs == 2
    only = by_method(marginals(seen(store, Filter(task="questions"), ["quality.accuracy"])))
    assert only["squeeze"]["quality.accuracy"].change == pytest.approx(0.04)


def test_effects_are_told_within_one_target_setting(store: Store) -> None:
    fewer = replace(
        SITUATION, fingerprint="fingerprint of questions", hardware=replace(HARDWARE, threads=1)
    )
    slow = store.begin_trial(SQUEEZE, fewer, purpose="search", seed=0)
    store.finish_trial(slow, measured(latency=0.5))
    finished(store, NONE, latency=0.004)
    assert marginals(seen(store, Filter(), [LATENCY])) == []
    finished(store, SQUEEZE, latency=0.002)
    (found,) = marginals(seen(store, Filter(), [LATENCY]))
    assert (found.change, found.pairs) == (pytest.approx(0.5), 1)


def test_the_best_known_keeps_the_budget_and_is_the_cheapest_of_the_good(store: Store) -> None:
    slow = finished(store, NONE, quality=0.95, latency=0.009)
    dear = finished(store, RECIPE, quality=0.90, latency=0.004)
    cheap = finished(store, SQUEEZE, quality=0.899, latency=0.001)
    part = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=0, fidelity=0.1)
    store.finish_trial(part, measured(0.99, 0.001))
    wanted = Filter(task="questions", purpose="search")
    known = best_known(store, Filter(task="fingerprint of questions"), parse_budget([]))
    assert known.best is not None
    assert known.best.number == slow
    tight = parse_budget(["inference.latency<=5ms"])
    known = best_known(store, Filter(task="fingerprint of questions"), tight)
    assert [record.number for record in known.as_good] == [cheap, dear]
    first = best_known(
        store, Filter(task="fingerprint of questions"), tight, parse_preference("quality:0%")
    )
    assert first.best is not None
    assert first.best.number == dear
    assert known.mixture == ""
    finished(store, NONE, quality=0.2, purpose="run")
    mixed = best_known(store, Filter(task="fingerprint of questions"), tight)
    assert "validation rows" in mixed.mixture
    impossible = parse_budget(["inference.latency<=1us"])
    assert best_known(store, wanted, impossible).best is None
    finished(store, task="mail")
    with pytest.raises(InputError, match=r"\(mail, 5,000 rows\).*choose one with --task"):
        best_known(store, Filter(), parse_budget([]))


def test_settings_are_told_apart_only_where_it_matters() -> None:
    one = TargetSetting("desk", 2, "2.0", "5.0")
    other = replace(one, threads=1)
    assert mixture([one, other], ["quality.accuracy", "model.size", "inference.flops"]) == ""
    assert mixture([one, one], [LATENCY]) == ""
    sentence = mixture([one, other], [LATENCY, "model.size"])
    assert sentence.startswith("figures of inference.latency come from 2 settings")


def test_counts(store: Store) -> None:
    finished(store, NONE)
    finished(store, SQUEEZE, task="mail", purpose="run")
    (own, *_) = statistics(store)
    assert (own.trials, own.counts["tasks"], own.counts["measurements"]) == (2, 2, 4)
    assert own.states == {"finished": 2}
    assert own.purposes == {"run": 1, "search": 1}
    assert own.first is not None
    assert own.last is not None
    assert own.first <= own.last
    assert own.to_json()["trials"] == 2
