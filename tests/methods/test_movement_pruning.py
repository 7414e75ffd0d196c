"""movement-pruning: masks and the scores' gradients against the paper's equations."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import refusals, run
from saving import logits_of, predictor_of, saved
from topics import examples_of
from torch import nn
from torch.nn.utils import prune as reference

from effauto import Moment, TaskModel, Training

plugin = pytest.importorskip("effauto.bundled.movement_pruning", reason="this plugin is not here")
masks = pytest.importorskip("effauto.bundled.movement_pruning.masks")
schedule = pytest.importorskip("effauto.bundled.movement_pruning.schedule")
METHOD = plugin.MovementPruning()
SETTING = {"sparsity": 0.75, "criterion": "movement", "epochs": 2, "learning_rate": 1e-3}


@pytest.fixture
def masked():
    torch.manual_seed(0)
    masked = masks.Masked(nn.Linear(5, 3))
    nn.init.normal_(masked.scores)
    masked.keep(0.4)
    return masked


def test_the_highest_scores_stay(masked):
    order = sorted(range(15), key=lambda place: -masked.scores.flatten()[place].item())
    assert set(masked.mask.flatten().nonzero().flatten().tolist()) == set(order[:6])


def test_gradients_are_those_of_the_paper(masked):
    """∂L/∂W = ∂L/∂W' ⊙ M and ∂L/∂S = ∂L/∂W' ⊙ W, with ∂L/∂W' found on a plain layer."""
    torch.manual_seed(1)
    x, wanted = torch.randn(7, 5), torch.randn(7, 3)
    plain = nn.Linear(5, 3)
    plain.weight = nn.Parameter(masked.layer.weight.detach() * masked.mask)
    plain.bias = nn.Parameter(masked.layer.bias.detach().clone())
    torch.testing.assert_close(masked(x), plain(x))
    ((masked(x) - wanted) ** 2).sum().backward()
    ((plain(x) - wanted) ** 2).sum().backward()
    gradient = plain.weight.grad
    torch.testing.assert_close(masked.layer.weight.grad, gradient * masked.mask)
    torch.testing.assert_close(masked.scores.grad, gradient * masked.layer.weight)
    torch.testing.assert_close(masked.layer.bias.grad, plain.bias.grad)


def test_weights_go_on_a_cubic():
    """v_f + (v_i - v_f) (1 - t)³ of the weights stay, t from the first that goes to the last."""
    kept = [schedule.share_kept(place / 100, 0.9) for place in range(101)]
    assert kept[0] == kept[10] == 1.0
    assert kept[80] == kept[100] == pytest.approx(0.1)
    assert kept == sorted(kept, reverse=True)
    assert kept[45] == pytest.approx(0.1 + 0.9 * 0.5**3)


def test_masks_follow_the_schedule(model, context):
    METHOD.build(model, SETTING, context)
    (watch,) = METHOD.train(Training(), SETTING, context).after_step
    shares = []
    for step in (1, 5, 10):
        assert not watch(model, Moment(step, 10, 0, False))
        shares.append(torch.cat([m.mask.flatten() for m in masks.masks(model)]).float().mean())
    assert shares[0] == 1.0
    assert 1.0 > shares[1] > shares[2] == pytest.approx(0.25, abs=0.01)


def test_the_model_computes_the_same_without_its_masks(surroundings, tmp_path):
    context = surroundings(examples_of("text-classification", 24))
    names = list(context.untouched().state_dict())
    model = METHOD.build(context.untouched(), SETTING, context)
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    expected = logits_of(model)
    model = METHOD.compress(model, SETTING, context)
    assert (logits_of(model) == expected).all()
    assert list(model.state_dict()) == names
    for module in model.layers.modules():
        if isinstance(module, nn.Linear):
            assert (module.weight == 0).float().mean() == pytest.approx(0.75, abs=1e-3)
    loaded = saved(predictor_of(model, context), METHOD, SETTING, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == expected).all()


def test_by_magnitude_the_smallest_go_as_torch_prunes_them(model, context):
    """No score is trained, and at the end the mask is torch's own."""
    setting = SETTING | {"criterion": "magnitude"}
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    METHOD.build(model, setting, context)
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in before.values())
    (watch,) = METHOD.train(Training(), setting, context).after_step
    for step in range(1, 11):
        watch(model, Moment(step, 10, 0, False))
    METHOD.compress(model, setting, context)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != "head":
            expected = nn.Linear(module.in_features, module.out_features)
            expected.weight = nn.Parameter(before[f"{name}.weight"])
            reference.l1_unstructured(expected, "weight", amount=0.75)
            assert torch.equal(module.weight, expected.weight)


def test_layers_that_keep_their_weight_the_other_way_round(context):
    """GPT-2's."""
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=30_522)
    model = TaskModel(GPT2Model(config), "text-classification", 3).eval()
    expected = logits_of(model)
    masked = METHOD.build(model, SETTING, context)
    assert abs(logits_of(masked) - expected).max() < 1e-6
    assert len(list(masks.masks(masked))) == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [{"layer-drop": {"keep": 0.5}, "distillation": {}}, {"int8-dynamic": {}}],
    ids=["fewer layers, a teacher", "int8"],
)
def test_whole_recipes(source, tmp_path, others):
    steps = others | {"movement-pruning": SETTING | {"epochs": 10}}
    ran = run(steps, source, tmp_path, rows=90)
    assert ran.right > 0.5
    assert ran.measured["model.parameters"] > 0


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("magnitude-pruning", "dense weights, which movement-pruning takes away"),
        ("onnx-runtime", "dense weights, which movement-pruning takes away"),
        ("head-only", "both take the slot 'adaptation'"),
    ],
)
def test_what_it_does_not_go_with(source, other, why):
    assert any(why in reason for reason in refusals({"movement-pruning": {}, other: {}}, source))


def test_cost(work):
    cost = METHOD.cost(work, SETTING)
    scores = work.layers * work.layer_matrices
    assert cost.trainable_parameters == work.trainable_parameters + scores
    assert cost.density == pytest.approx(0.25)
    bytes_more = (
        cost.optimizer_bytes * cost.trainable_parameters
        - work.optimizer_bytes * cost.trainable_parameters
    )
    assert bytes_more == pytest.approx(plugin.SCORE_BYTES * scores)
    plain = METHOD.cost(work, SETTING | {"criterion": "magnitude"})
    assert plain.trainable_parameters == work.trainable_parameters
    densities = [METHOD.cost(work, SETTING | {"sparsity": s}).density for s in (0.3, 0.6, 0.9)]
    assert densities == sorted(densities, reverse=True)


def test_only_pretrained_dense_networks_are_pruned(source):
    assert not refusals({"movement-pruning": {}}, source)
    sparse = replace(source, traits=replace(source.traits, facts=frozenset({"transformer"})))
    assert any("requires" in reason for reason in refusals({"movement-pruning": {}}, sparse))
