"""aflite against a plain loop over its published algorithm."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from running import refusals, run

from effauto import ModelTraits, TaskTraits
from effauto.cost.flops import train_flops

plugin = pytest.importorskip("effauto.bundled.aflite", reason="this plugin is not here")
filtering = pytest.importorskip("effauto.bundled.aflite.filtering")
METHOD = plugin.AFLite()


@pytest.fixture
def rows():
    """300 rows of two classes: those of even number lie apart, the others do not."""
    generator = np.random.default_rng(0)
    labels = generator.integers(2, size=300)
    features = generator.normal(size=(300, 6))
    features[::2, 0] += 6.0 * labels[::2] - 3.0
    return features, labels.tolist()


def plain_loop(features, labels, keep, threshold, seed):
    """One row at a time; ridge regressions to ±1 by their normal equations."""
    generator = np.random.default_rng(seed)
    left = list(range(len(labels)))
    target, most = round(keep * len(left)), int(np.ceil(0.1 * len(labels)))
    while len(left) > target:
        votes = {row: [] for row in left}
        for _ in range(16):
            shuffled = generator.permutation(len(left))
            half = round(len(left) / 2)
            fitted = [left[place] for place in shuffled[:half]]
            inputs, wanted = features[fitted], 2.0 * np.array([labels[r] for r in fitted]) - 1.0
            centre, offset = inputs.mean(0), wanted.mean()
            inputs = inputs - centre
            gram = inputs.T @ inputs + np.eye(inputs.shape[1])
            weights = np.linalg.solve(gram, inputs.T @ (wanted - offset))
            for place in shuffled[half:]:
                row = left[place]
                answer = (features[row] - centre) @ weights + offset > 0
                votes[row].append(int(answer) == labels[row])
        share = {row: sum(v) / max(1, len(v)) for row, v in votes.items()}
        best = sorted(left, key=lambda row: -share[row])[: min(most, len(left) - target)]
        gone = {row for row in best if share[row] >= threshold}
        left = [row for row in left if row not in gone]
        if len(gone) < most:
            break
    return left


@pytest.mark.parametrize(("keep", "threshold"), [(0.5, 0.75), (0.85, 0.6), (0.3, 0.95)])
def test_it_is_the_published_algorithm(rows, keep, threshold):
    found = filtering.unpredictable(*rows, keep, threshold, seed=3)
    assert found == plain_loop(*rows, keep, threshold, seed=3)
    assert len(found) >= round(keep * 300)


def test_what_lies_apart_goes(rows):
    found = filtering.unpredictable(*rows, 0.5, 0.75, seed=0)
    apart = sum(row % 2 == 0 for row in found)
    assert apart < 0.3 * len(found)
    assert found == filtering.unpredictable(*rows, 0.5, 0.75, seed=0)


def test_nothing_goes_that_is_not_predicted():
    generator = np.random.default_rng(0)
    features, labels = generator.normal(size=(200, 4)), generator.integers(2, size=200)
    found = filtering.unpredictable(features, labels.tolist(), 0.3, 1.0, seed=0)
    assert len(found) > 150


def test_no_class_loses_its_last_row():
    classes = np.array([0, 0, 1, 1, 2])
    assert filtering._sparing(np.array([4, 0, 1, 2]), classes).tolist() == [0, 2]
    assert filtering._sparing(np.array([0, 2]), classes).tolist() == [0, 2]


@pytest.mark.slow
def test_it_begins_a_recipe(source, tmp_path):
    setting = {"keep": 0.6, "threshold": 0.7}
    ran = run({METHOD.name: setting, "head-only": {}}, source, tmp_path, rows=2_100)
    assert ran.measured["model.parameters"] > 0
    assert ran.right > 0.6
    assert Counter(ran.examples.targets) == {0: 700, 1: 700, 2: 700}


def test_few_rows_and_tags_are_refused(source):
    model = ModelTraits("m", "transformer", 2, 32, 64, 4, 100, 64, 3200, 8000, frozenset())
    task = TaskTraits("text-classification", "accuracy", 2_000, 2, 15, 40, 120)
    assert METHOD.fits(task, model)
    assert "2,000 rows" in METHOD.fits(replace(task, examples=1_999), model).reason
    assert "tagged" in METHOD.fits(replace(task, kind="token-classification"), model).reason
    assert any("2,000 rows" in reason for reason in refusals({METHOD.name: {}}, source))


def test_costs_fall_with_rows_but_not_with_labels(work):
    costs = [METHOD.cost(work, {"keep": keep, "threshold": 0.75}) for keep in (0.3, 0.6, 1.0)]
    assert [c.examples / work.examples for c in costs] == pytest.approx([0.3, 0.6, 1.0])
    assert {c.labels for c in costs} == {work.labels}
    one_pass = 2 * work.layers * work.layer_matrices * work.examples * work.request_tokens
    assert min(train_flops(first) for c in costs for first in c.before) > one_pass
