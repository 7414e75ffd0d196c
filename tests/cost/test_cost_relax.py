"""When nothing fits, the reason and the smallest relaxation are told."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from effauto.budget import Budget, Limit, parse_budget
from effauto.cost import explain_infeasible
from effauto.resources import RESOURCES, exactly

MIB = 2.0**20


def figures(size: float, latency: float):
    return {
        "model.size": exactly(size * MIB, "byte"),
        "inference.latency": exactly(latency * 1e-3, "s"),
    }


CANDIDATES = {"bag": figures(1.9, 0.4), "small": figures(20, 3), "large": figures(90, 10)}


def test_a_limit_that_nothing_meets_names_the_best():
    found = explain_infeasible(
        CANDIDATES, parse_budget(["model.size<=1MiB", "inference.latency<=5ms"])
    )
    assert [str(limit) for limit in found.binding] == ["model.size<=1MiB"]
    assert found.nearest == "bag"
    assert found.sentences == (
        "model.size<=1MiB cannot be met: the smallest recipe, bag, needs 1.9MiB",
        "relaxing to model.size<=1.94MiB would let bag fit",
    )


def test_limits_that_only_together_cannot_be_met():
    candidates = {"slow": figures(1, 9), "big": figures(9, 1)}
    found = explain_infeasible(
        candidates, parse_budget(["model.size<=8MiB", "inference.latency<=1.1ms"])
    )
    assert not found.binding
    assert found.nearest == "big"
    assert "each limit can be met alone" in found.sentences[0]
    assert found.sentences[1:] == (
        "relaxing to model.size<=9.18MiB would let big fit",
        "or relaxing to inference.latency<=9.18ms would let slow fit",
    )
    assert [[limit.resource for limit in limits] for limits in found.conflicts] == [
        ["model.size", "inference.latency"]
    ]


def test_only_the_limits_that_bind_together_are_named():
    candidates = {"slow": figures(1, 9), "big": figures(9, 1)}
    for name, told in candidates.items():
        told["train.labels"] = exactly(100.0, "1")
        told["train.time"] = exactly(60.0 if name == "big" else 90.0, "s")
    limits = ["train.labels<=500", "model.size<=8MiB", "inference.latency<=2ms", "train.time<=1s"]
    found = explain_infeasible(candidates, parse_budget(limits))
    assert [[limit.resource for limit in limits] for limits in found.conflicts] == [
        ["train.time"],
        ["model.size", "inference.latency"],
    ]
    assert not any("train.labels" in sentence for sentence in found.sentences)


def test_what_would_be_chosen_is_the_best_that_then_fits():
    found = explain_infeasible(
        {"tiny": figures(4, 1), "good": figures(4, 0.9), "huge": figures(90, 1)},
        parse_budget(["model.size<=3MiB"]),
        {"tiny": 0.7, "good": 0.8, "huge": 0.99},
    )
    assert [(one.least, one.chosen) for one in found.relaxations] == [("tiny", "good")]
    assert found.sentences[-1].endswith("would let tiny fit; good would then be chosen")
    told = found.to_json()["relaxations"][0]
    assert told["budget"][0]["resource"] == "model.size"
    assert (told["least"], told["chosen"]) == ("tiny", "good")


def test_a_limit_from_below():
    candidates = {"a": {"inference.throughput": exactly(50.0, "1/s")}}
    found = explain_infeasible(candidates, parse_budget(["inference.throughput>=200/s"]))
    assert "the fastest recipe, a, reaches 50/s" in found.sentences[0]
    assert found.relaxed.limits[0].limit < 50


def test_a_resource_that_nobody_tells():
    found = explain_infeasible(CANDIDATES, parse_budget(["train.cost<=1EUR"]))
    assert "no recipe tells its train.cost" in found.sentences[0]
    assert found.to_json()["binding"][0]["resource"] == "train.cost"


def test_nothing_to_explain():
    with pytest.raises(ValueError, match="can be explained"):
        explain_infeasible({}, parse_budget(["model.size<=1MiB"]))


names = ("model.size", "inference.latency", "inference.throughput")
values = st.fixed_dictionaries({name: st.floats(1e-6, 1e12) for name in names})


@given(st.lists(values, min_size=1, max_size=6), values)
def test_the_relaxed_budget_is_met_by_the_nearest(candidates, limits):
    told = {
        str(place): {name: exactly(value, RESOURCES[name].unit) for name, value in found.items()}
        for place, found in enumerate(candidates)
    }
    budget = Budget(tuple(Limit(name, v, RESOURCES[name].unit) for name, v in limits.items()))
    assume(all(budget.broken(found) for found in candidates))
    found = explain_infeasible(told, budget)
    assert not found.relaxed.broken(candidates[int(found.nearest)])
    assert found.sentences
    for one in found.relaxations:
        assert not one.budget.broken(candidates[int(one.least)])
        assert not one.budget.broken(candidates[int(one.chosen)])
    eased = [[limit.limit for limit in one.budget] for one in found.relaxations]
    assert len({tuple(limits) for limits in eased}) == len(eased)
    for conflict in found.conflicts:
        assert all(Budget(conflict).broken(told) for told in candidates)
    for old, new in zip(budget, found.relaxed, strict=True):
        assert new == old or not old.met(candidates[int(found.nearest)][old.resource])
