"""The surrogate search: never twice the same, within limits where it can, better than chance."""

from __future__ import annotations

from importlib.metadata import version
from statistics import mean

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer
from ConfigSpace import EqualsCondition as Equals

from effauto.planner.search import Search, Told


def test_smac_is_the_version_whose_parts_are_used():
    """search.py uses parts that SMAC does not promise to keep: read it before changing this."""
    assert version("smac") == "2.4.1"


def small(seed=0):
    space = ConfigurationSpace(seed=seed)
    space.add([Categorical("a", ["x", "y", "z"]), Categorical("b", ["p", "q"])])
    return space


def large(seed=0):
    space = ConfigurationSpace(seed=seed)
    kind, depth = Categorical("kind", ["flat", "deep"]), Integer("depth", (1, 9))
    space.add([Float(f"x{n}", (0.0, 1.0)) for n in range(3)] + [kind, depth])
    space.add(Equals(depth, kind, "deep"))
    return space


def cost(configuration):
    found = sum((configuration[f"x{n}"] - 0.3) ** 2 for n in range(3))
    deep = 0.3 + abs(configuration["depth"] - 7) / 20 if configuration["kind"] == "deep" else 1.0
    return float(found + deep)


def search(seed, trials, limits=()):
    made = Search(large(seed), limits, seed)
    for _ in range(trials):
        configuration = made.ask()
        excess = dict.fromkeys(limits, configuration["x0"] - 0.2)
        made.tell(Told(configuration, cost(configuration), excess))
    return made.told


def test_nothing_is_proposed_twice_and_then_nothing():
    made, seen = Search(small(), seed=1), []
    while (configuration := made.ask()) is not None:
        seen.append(tuple(configuration[name] for name in ("a", "b")))
        made.tell(Told(configuration, len(seen) / 10))
    assert len(seen) == len(set(seen)) == 6


def test_what_was_only_seen_is_not_proposed():
    made, space = Search(small()), small(seed=3)
    while len(made._seen) < 5:
        made.see(space.sample_configuration())
    left = made.ask()
    made.see(left)
    assert made.ask() is None


def test_only_what_is_admissible_is_proposed():
    made = Search(large())
    for number in range(12):
        configuration = made.ask(lambda c: c["kind"] == "deep" and c["x0"] > 0.5)
        assert configuration["kind"] == "deep"
        assert configuration["x0"] > 0.5
        made.tell(Told(configuration, number / 20))
    assert made.ask(lambda c: False) is None


def test_it_is_the_same_for_a_seed():
    one, two = search(5, 14), search(5, 14)
    assert [dict(told.configuration) for told in one] == [dict(told.configuration) for told in two]
    other = search(6, 14)
    assert [dict(told.configuration) for told in one] != [dict(t.configuration) for t in other]


def test_it_beats_chance():
    found, chance = [], []
    for seed in range(4):
        found.append(min(told.cost for told in search(seed, 35)))
        chance.append(min(map(cost, large(seed + 100).sample_configuration(35))))
    assert mean(found) < mean(chance) - 0.01


def test_it_prefers_what_keeps_the_limits():
    told = search(2, 40, limits=("size",))
    late = [t.excess["size"] <= 0 for t in told[15:]]
    assert mean(late) > 0.4  # a fifth, by chance


def test_a_failure_is_told_as_bad_and_not_proposed_again():
    made = Search(small(), seed=4)
    failed = made.ask()
    made.tell(Told(failed, 1.05))
    proposed = []
    while (configuration := made.ask()) is not None:
        proposed.append(configuration)
        made.tell(Told(configuration, 0.5))
    assert len(proposed) == 5
    assert failed not in proposed


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_cost_must_be_a_number(wrong):
    made = Search(small())
    with pytest.raises(ValueError, match="a cost must be finite"):
        made.tell(Told(made.ask(), wrong))


def test_results_on_less_data_count_for_less_than_their_cost_says():
    """Few rows make everything look bad: the forests see by how much, since it is a feature."""
    made = Search(large(), seed=0)
    for number in range(24):
        configuration = made.ask()
        share = 0.1 if number % 2 else 1.0
        made.tell(Told(configuration, cost(configuration) + 0.5 * (share < 1), fidelity=share))
    best = min((told for told in made.told if told.fidelity == 1), key=lambda told: told.cost)
    assert best.cost < 0.8


def test_limits_that_were_never_measured_do_no_harm():
    made = Search(large(), ["size"], seed=0)
    for _ in range(8):
        configuration = made.ask()
        made.tell(Told(configuration, cost(configuration)))
    assert made.ask() is not None
