"""knn-head: its votes against scikit-learn's, saved and exported as other heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import arrays_of, logits_of, predictor_of, saved
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize
from topics import examples_of

from effauto import Training, embed
from effauto.checks.samples import TASKS

plugin = pytest.importorskip("effauto.bundled.knn_head", reason="this plugin is not here")
fit = pytest.importorskip("effauto.bundled.knn_head.fit")
head = pytest.importorskip("effauto.bundled.knn_head.head")
METHOD = plugin.KnnHead()
SETTING = {"k": 5, "dims": 64, "share": 1.0}


@pytest.fixture
def fitted(surroundings):
    def fitted(setting=SETTING, kind="text-classification", rows=90):
        context = surroundings(examples_of(kind, rows))
        model = context.untouched()
        if kind == "pair-classification":
            model.pair_separately()
        training = METHOD.train(Training(), setting, context)
        return training.fit(model, context.examples, training, context), context

    return fitted


@pytest.mark.parametrize("k", [1, 5, 50])
def test_votes_are_those_of_scikit_learn(k):
    generator = np.random.default_rng(0)
    store, asked = (generator.normal(size=(rows, 8)).astype(np.float32) for rows in (60, 40))
    labels = generator.integers(4, size=60)
    ours = head.Neighbours(
        torch.from_numpy(store), torch.from_numpy(labels), torch.eye(8), torch.zeros(8), 4, k
    )
    unit = normalize(asked)
    reference = KNeighborsClassifier(k).fit(store, labels)
    with torch.inference_mode():
        votes = ours(torch.from_numpy(asked)).numpy()
    np.testing.assert_allclose(votes / k, reference.predict_proba(unit), atol=1e-6)
    assert (votes.argmax(-1) == reference.predict(unit)).all()


@pytest.mark.parametrize("kind", ["text-classification", "pair-classification"])
def test_the_whole_head_is_a_pipeline_of_scikit_learn(fitted, kind):
    setting = SETTING | {"dims": 32}
    model, context = fitted(setting, kind)
    features, targets = embed(model, context.examples, Training(), context)
    unit = normalize(features)
    components = PCA(32, svd_solver="full").fit(unit)
    reference = KNeighborsClassifier(5).fit(components.transform(unit), targets)
    with torch.inference_mode():
        found = model.head(torch.from_numpy(features)).argmax(-1).numpy()
    agreed = found == reference.predict(components.transform(unit))
    assert agreed.mean() > 0.97  # equal rows are at the same distance, and either may be taken


def test_it_tells_topics_apart_and_the_body_stays(fitted):
    model, context = fitted()
    plain = context.untouched().encoder.state_dict()
    assert all(torch.equal(plain[n], t) for n, t in model.encoder.state_dict().items())
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = np.mean([a == b for a, b in zip(found, context.examples.targets, strict=True)])
    assert right > 0.8


def test_it_survives_saving(fitted, tmp_path):
    model, context = fitted()
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model, 8) == logits_of(model, 8)).all()


def test_it_is_exported_as_a_graph(fitted, tmp_path):
    pytest.importorskip("onnxscript", reason="exporting needs the extra onnx")
    runtimes = pytest.importorskip("effauto.bundled.onnx_runtime")
    model, context = fitted()
    method = runtimes.OnnxRuntimeMethod()
    predictor = method.serve(predictor_of(model, context), {"quantize": "none"}, context)
    for rows in (1, 6):
        expected = logits_of(model, rows)
        assert (predictor.runtime.run(arrays_of(model, rows)) == expected).all()


def test_a_share_keeps_some_of_every_class(fitted):
    model, _ = fitted(SETTING | {"share": 0.1})
    assert len(model.head.store) == 9
    assert set(model.head.labels.tolist()) == {0, 1, 2}
    model, _ = fitted(SETTING | {"k": 50, "share": 0.05})
    assert model.head.k == len(model.head.store) == 6


def test_cost_is_the_store(fitted, work):
    model, context = fitted(SETTING | {"dims": 32, "share": 0.5})
    numbers = sum(tensor.numel() for tensor in model.head.state_dict().values())
    given = replace(work, examples=float(len(context.examples)))
    cost = METHOD.cost(given, SETTING | {"dims": 32, "share": 0.5})
    assert cost.head_parameters == pytest.approx(numbers, rel=0.02)
    assert (cost.forward_passes, cost.backward_passes) == (1, 0)


@pytest.mark.parametrize(("knob", "values"), [("dims", (32, 64, 256)), ("share", (0.1, 0.5, 1.0))])
def test_a_larger_store_never_costs_less(work, knob, values):
    wide = replace(work, width=384.0)
    costs = [METHOD.cost(wide, SETTING | {knob: value}) for value in values]
    for what in ("head_parameters", "request_seconds"):
        found = [getattr(cost, what) for cost in costs]
        assert found == sorted(found)


def test_tags_are_refused(context):
    assert METHOD.fits(context.task, context.model)
    assert "every word" in METHOD.fits(TASKS[3], context.model).reason


@pytest.mark.slow
def test_whole_recipes_run_around_it(source, tmp_path):
    others = {"layer-drop": {"keep": 0.5}, "near-dedup": {}, "int8-dynamic": {}}
    assert run({**others, "knn-head": SETTING}, source, tmp_path).right > 0.8


def test_what_needs_gradients_is_refused_with_the_reason(source):
    said = refusals({"knn-head": {}, "length-curriculum": {}}, source)
    assert any("which knn-head takes away" in sentence for sentence in said)
