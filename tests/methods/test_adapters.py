"""adapters: where they sit, what they compute, and that they survive what comes after."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from families import tiny
from running import run
from saving import exports_alike, logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

plugin = pytest.importorskip("effauto.bundled.adapters", reason="this plugin is not here")
bottleneck = pytest.importorskip("effauto.bundled.adapters.bottleneck")
METHOD = plugin.Adapters()
PFEIFFER = {
    "reduction": 4,
    "placement": "pfeiffer",
    "dropped_layers": 0,
    "epochs": 1,
    "learning_rate": 1e-2,
}
HOULSBY = PFEIFFER | {"placement": "houlsby"}
FEWER = HOULSBY | {"dropped_layers": 3}
SETTINGS = pytest.mark.parametrize(
    "setting", [PFEIFFER, HOULSBY, FEWER], ids=["pfeiffer", "houlsby", "fewer"]
)


def adapters_of(model: TaskModel) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, bottleneck.Bottleneck)]


def disturbed(model: TaskModel) -> TaskModel:
    torch.manual_seed(1)
    for adapter in adapters_of(model):
        for parameter in adapter.parameters():
            nn.init.normal_(parameter, std=0.3)
    return model.eval()


@SETTINGS
def test_at_first_nothing_is_changed(model, context, setting):
    plain = logits_of(model)
    adapted = METHOD.build(model, setting, context)
    assert (logits_of(adapted) == plain).all()
    assert len(adapters_of(adapted)) == {"pfeiffer": 4, "houlsby": 8}[setting["placement"]] - (
        6 if setting["dropped_layers"] else 0
    )


@pytest.mark.parametrize(("setting", "both"), [(PFEIFFER, False), (HOULSBY, True)])
def test_a_layer_is_that_of_the_paper(model, context, setting, both):
    """BERT's layer written out, with x + W₂ gelu(W₁ x + b₁) + b₂ before dropout and residual."""
    layer = disturbed(METHOD.build(model, setting, context)).layers[0]

    def part(sequence, x):
        if not isinstance(sequence, nn.Sequential):
            return sequence(x)
        linear, adapter = sequence
        x = linear(x)
        inner = nn.functional.gelu(x @ adapter.down.weight.T + adapter.down.bias)
        return x + inner @ adapter.up.weight.T + adapter.up.bias

    x = torch.randn(2, 7, 32)
    with torch.inference_mode():
        (attended, *_) = layer.attention.self(x)
        out = layer.attention.output
        assert isinstance(out.dense, nn.Sequential) == both
        x1 = out.LayerNorm(x + part(out.dense, attended))
        inner = nn.functional.gelu(layer.intermediate.dense(x1))
        expected = layer.output.LayerNorm(x1 + part(layer.output.dense, inner))
        found = layer(x)
    torch.testing.assert_close(found, expected)


@SETTINGS
def test_only_adapters_and_head_are_trained(surroundings, work, setting):
    context = surroundings(examples_of("text-classification", 40))
    model = METHOD.build(context.untouched(), setting, context)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    cost = METHOD.cost(work, setting)
    assert cost.trainable_parameters == trained
    assert cost.parameters == pytest.approx(sum(map(torch.numel, before.values())), rel=1e-3)
    training = METHOD.train(Training(), setting, context)
    model = training.fit(model, context.examples, training, context)
    moved = {n for n, tensor in model.named_parameters() if not torch.equal(tensor, before[n])}
    assert moved == {n for n in before if "dense.1." in n or n.startswith("head.")}


@SETTINGS
def test_the_model_survives_saving(model, context, tmp_path, setting):
    adapted = disturbed(METHOD.build(model, setting, context))
    loaded = saved(predictor_of(adapted, context), METHOD, setting, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(adapted)).all()


@pytest.mark.slow
def test_the_exported_graph_computes_the_same(model, context):
    exports_alike(disturbed(METHOD.build(model, HOULSBY, context)), context)


@pytest.mark.parametrize(
    "family", ["DistilBert", "Roberta", "GPT2", "Llama", "ModernBert", "MPNet", "OPT"]
)
def test_places_are_found_in_many_families(context, family):
    model = tiny(family).eval()
    numbers = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}
    with torch.inference_mode():
        plain = model(**numbers)
        adapted = METHOD.build(model, HOULSBY, context)
        assert len(adapters_of(adapted)) == 2
        torch.testing.assert_close(adapted(**numbers), plain)
        assert (disturbed(adapted)(**numbers) - plain).abs().max() > 1e-3


def test_a_body_of_other_names_is_refused():
    with pytest.raises(EffautoError, match="adapters find no place in Linear"):
        bottleneck._ending(nn.Linear(2, 2), bottleneck.ATTENTION)


def test_less_adapter_never_costs_more(work):
    by_reduction = [METHOD.cost(work, HOULSBY | {"reduction": r}) for r in (2, 8, 64)]
    by_depth = [METHOD.cost(work, HOULSBY | {"dropped_layers": n}) for n in (0, 1, 3, 11)]
    for costs in (by_reduction, by_depth):
        for more, less in pairwise(costs):
            assert less.layer_parameters <= more.layer_parameters
            assert less.trainable_parameters <= more.trainable_parameters
            assert less.backward_depth <= more.backward_depth
            assert less.dispatches <= more.dispatches
    assert by_depth[-1].backward_depth == 0.25  # the last layer is always adapted
    assert by_reduction[-1].dispatches > work.dispatches


@pytest.mark.parametrize(
    "after", ["int8-dynamic", "bf16-weights", "magnitude-pruning", "onnx-runtime"]
)
def test_it_composes_with_fewer_layers_before_and_others_after(source, tmp_path, after):
    if after == "onnx-runtime":
        pytest.importorskip("onnxscript")
    steps = {"layer-drop": {"keep": 0.5}, METHOD.name: FEWER, after: {}}
    predictor = run(steps, source, tmp_path).predictor
    if after != "onnx-runtime":
        assert len(adapters_of(predictor.runtime.model)) == 2  # two layers, the upper adapted


def test_layers_that_share_weights_share_adapters(source, tmp_path):
    steps = {"layer-sharing": {"repeats": 2}, METHOD.name: FEWER}
    assert len(adapters_of(run(steps, source, tmp_path).predictor.runtime.model)) == 2
