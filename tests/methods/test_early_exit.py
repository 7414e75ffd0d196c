"""early-exit: who leaves where, with whose answer, and what never leaving gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import run
from saving import arrays_of, inputs_of, logits_of, predictor_of, saved
from sklearn.linear_model import LogisticRegression
from topics import examples_of

from effauto import EffautoError, Recipe, TaskModel
from effauto.checks.samples import MACHINE, MODELS, TASKS
from effauto.composition import compose
from effauto.plugins import load_plugins

plugin = pytest.importorskip("effauto.bundled.early_exit", reason="this plugin is not here")
exits = pytest.importorskip("effauto.bundled.early_exit.exits")
module = pytest.importorskip("effauto.bundled.early_exit.model")
METHOD = plugin.EarlyExit()
SETTING = {"threshold": 0.97, "every": 1}
NEVER = {"threshold": 0.0, "every": 1}


def tiny(family="Bert", **more):
    import transformers

    config = getattr(transformers, f"{family}Config")(vocab_size=30_522, pad_token_id=0)
    config.num_hidden_layers, config.num_attention_heads = 4, 2
    config.hidden_size = config.intermediate_size = 16
    if family == "Llama":
        config.num_key_value_heads, config.head_dim = 2, 8
    torch.manual_seed(0)
    body = getattr(transformers, f"{family}Model")(config)
    return TaskModel(body, "text-classification", 3, **more).eval()


def leaving(model, threshold, every=1):
    """Exits at random: some rows are sure at each."""
    torch.manual_seed(3)
    model = module.EarlyExitModel(model, every, threshold).eval()
    for exit in model.exits:
        torch.nn.init.normal_(exit.weight, std=0.6)
    return model


def expected_of(model, inputs):
    """Every exit's answer to the whole batch, then the surest rows picked one by one.

    The threshold is set so that a third of the rows leaves at the first exit.
    """
    with torch.inference_mode():
        seen = exits.features_at_exits(model, inputs)
        answers = [exit(read) for exit, read in zip(model.exits, seen, strict=True)]
        answers.append(TaskModel.forward(model, **inputs))
        model.surest = module.entropy(answers[0]).quantile(0.35).item()
    picked, depths = [], []
    for row in range(len(answers[0])):
        for place, answer in enumerate(answers):
            shares = answer[row].double().softmax(-1)
            unsure = -(shares * shares.log()).sum() >= model.surest
            if not unsure or place == len(answers) - 1:
                picked.append(answer[row])
                depths.append(place)
                break
    return torch.stack(picked), depths


@pytest.mark.parametrize("family", ["Bert", "DistilBert", "Roberta", "GPT2", "Llama", "ModernBert"])
def test_rows_leave_where_they_are_sure(family):
    model = leaving(tiny(family), 0.5)
    inputs = inputs_of(model, rows=12)
    expected, depths = expected_of(model, inputs)
    assert len(set(depths)) > 1
    with torch.inference_mode():
        torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=1e-4)
        for row in range(12):
            alone = model(**{name: tensor[row : row + 1] for name, tensor in inputs.items()})
            torch.testing.assert_close(alone[0], expected[row], atol=1e-5, rtol=1e-4)


def test_pairs_read_apart_leave_together():
    model = tiny()
    model.pair_separately()
    model = leaving(model.eval(), 0.5)
    inputs = inputs_of(model, rows=24)
    expected, depths = expected_of(model, inputs)
    assert len(expected) == 12
    assert len(set(depths)) > 1
    with torch.inference_mode():
        torch.testing.assert_close(model(**inputs), expected, atol=1e-5, rtol=1e-4)


def test_never_leaving_is_the_model_as_it_was_bit_for_bit(model):
    exact = logits_of(model)
    assert (logits_of(leaving(model, 0.0)) == exact).all()


def test_layers_after_the_last_row_left_are_not_computed(model):
    model = leaving(model, 0.999)
    with torch.no_grad():
        model.exits[1].bias[0] = 100.0
        model.exits[0].weight.zero_()
    passed = []
    for place, layer in enumerate(model.layers):
        layer.register_forward_hook(lambda *given, place=place: passed.append(place))
    logits_of(model)
    assert passed == [0, 1]


def test_an_exit_is_a_logistic_regression():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(3, (120,), generator=generator)
    features = torch.randn(3, 5, generator=generator)[targets] + 2 * torch.randn(
        120, 5, generator=generator
    )
    linear = torch.nn.Linear(5, 3)
    exits.fit_linear(linear, features, targets)
    scaled = (features - features.mean(0)) / features.std(0, correction=0)
    reference = LogisticRegression(C=1 / (exits.PENALTY * 120), tol=1e-8).fit(scaled, targets)
    found = linear(features).softmax(-1).detach()
    np.testing.assert_allclose(found, reference.predict_proba(scaled), atol=2e-3)


@pytest.mark.parametrize("kind", ["text-classification", "pair-classification"])
def test_exits_are_fitted_to_the_labels_and_saved(surroundings, tmp_path, kind):
    context = surroundings(examples_of(kind, 60))
    model = context.untouched().eval()
    body = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model = METHOD.compress(model, SETTING, context)
    assert all(torch.equal(model.state_dict()[n], tensor) for n, tensor in body.items())
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = np.mean([a == b for a, b in zip(found, context.examples.targets, strict=True)])
    assert right > (0.8 if kind == "text-classification" else 0.6)
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (loaded.runtime.run(arrays_of(model, 8)) == logits_of(model, 8)).all()
    assert isinstance(loaded.runtime.model, module.EarlyExitModel)


def test_exits_read_what_is_left_of_the_precision(surroundings):
    context = surroundings(examples_of("text-classification", 30))
    model = context.untouched().to(torch.bfloat16)
    model = METHOD.compress(model, SETTING, context)
    assert np.isfinite(logits_of(model)).all()


def test_another_kind_of_model_is_refused(model):
    with pytest.raises(EffautoError, match="cannot look into a EarlyExitModel"):
        leaving(leaving(model, 0.5), 0.5)


@pytest.mark.parametrize(
    ("layers", "every", "places"),
    [(6, 1, [0, 1, 2, 3, 4]), (6, 2, [1, 3]), (4, 3, [2]), (1, 1, [])],
)
def test_exits_lie_between_layers(layers, every, places):
    assert plugin.exit_places(layers, every) == places


def test_costs_fall_with_the_threshold_only_while_serving(work):
    costs = [METHOD.cost(work, {"threshold": t, "every": 1}) for t in (0.0, 0.1, 0.3, 0.7)]
    depths = [cost.request_depth for cost in costs]
    assert depths == sorted(depths, reverse=True)
    assert depths[0] == 1
    assert costs[0].head_parameters == 4 * work.head_parameters
    assert [(read.forward_passes, read.backward_passes) for read in costs[0].before] == [(1, 0)]
    alone = METHOD.cost(replace(work, layers=1.0), SETTING)
    assert (alone.request_depth, alone.head_parameters) == (1, work.head_parameters)


def test_graphs_of_fixed_depth_are_refused_with_the_reason():
    methods = load_plugins().methods()
    graphs = [
        m for m in methods.values() if m.slot == "runtime" and not m.needs.met(MACHINE).reason
    ]
    for graph in graphs:
        composition = compose(
            Recipe.of("early-exit", graph.name), methods, TASKS[0], MODELS[0], MACHINE
        )
        assert any("which early-exit takes away" in r.sentence for r in composition.refusals)


def test_words_and_shallow_models_are_refused(context):
    assert METHOD.fits(context.task, context.model)
    assert "three layers" in METHOD.fits(context.task, replace(context.model, layers=2)).reason
    for kind in ("token-classification", "language-modeling", "masked-language-modeling"):
        task = replace(context.task, kind=kind)
        assert "whole text" in METHOD.fits(task, context.model).reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "others"),
    [
        ("text-classification", {"knn-head": {}, "int8-dynamic": {}}),
        ("text-classification", {"full-finetune": {"epochs": 2}, "bf16-weights": {}}),
        ("pair-classification", {"bi-encoder": {}, "head-only": {}}),
    ],
)
def test_exits_are_fitted_to_what_other_methods_left(source, tmp_path, kind, others):
    ran = run({**others, "early-exit": {"threshold": 0.7}}, source, tmp_path, kind)
    assert ran.right > 0.7
    assert isinstance(ran.predictor.runtime.model, module.EarlyExitModel)
