"""mixture-of-experts: each token is answered by those chosen, and all are kept busy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from languages import (
    counted_flops,
    foretold_flops,
    learns,
    parameters,
    reads_only_what_came,
    survives_saving,
    text_of,
)
from torch import nn

from effauto import Training

plugin = pytest.importorskip("effauto.bundled.mixture_of_experts", reason="this plugin is not here")
experts = pytest.importorskip("effauto.bundled.mixture_of_experts.experts")
balance = pytest.importorskip("effauto.bundled.mixture_of_experts.balance")
METHOD = plugin.MixtureOfExperts()


def setting(count: int = 4, chosen: int = 1) -> dict[str, float]:
    return {"experts": count, "chosen": chosen, "balance": 1e-2}


@pytest.mark.parametrize("chosen", [1, 2])
def test_a_token_is_the_shared_sum_of_the_chosen_experts(untrained, scratch, chosen):
    layer = METHOD.build(untrained, setting(4, chosen), scratch).layers[0].mlp
    layer.down_proj._forward_hooks.clear()  # by which the depth divides it
    states = torch.randn(2, 7, 128)
    with torch.no_grad():
        found = layer(states)
        for token, result in zip(states.flatten(0, 1), found.flatten(0, 1), strict=True):
            shares, numbers = (layer.router.weight @ token).softmax(0).topk(chosen)
            if chosen > 1:
                shares = shares / shares.sum()
            expected = torch.zeros(128)
            for share, number in zip(shares, numbers, strict=True):
                gate = nn.functional.silu(layer.gate_proj.weight[number] @ token)
                inner = gate * (layer.up_proj.weight[number] @ token)
                expected += share * (layer.down_proj.weight[number] @ inner)
            torch.testing.assert_close(result, expected)


def test_all_experts_alike_are_the_layer_that_was_there(untrained, scratch):
    text = text_of(untrained)
    with torch.inference_mode():
        expected = untrained(**text)
        inner = [
            {name: p.clone() for name, p in layer.mlp.named_parameters()}
            for layer in untrained.layers
        ]
    model = METHOD.build(untrained, setting(4, 1), scratch)
    with torch.inference_mode():
        for layer, numbers in zip(model.layers, inner, strict=True):
            for name, number in numbers.items():
                layer.mlp.get_parameter(name).copy_(number)
            layer.mlp.router.weight.zero_()
            layer.mlp.down_proj.weight.mul_(4)  # the one chosen has a share of a fourth
        torch.testing.assert_close(model(**text), expected)


def test_balance_is_one_where_all_are_chosen_alike_and_more_elsewhere():
    shares = torch.eye(4).repeat(3, 1)
    assert experts.unevenness(shares, shares.argmax(-1, keepdim=True)) == 1
    always = torch.tensor([[1.0, 0, 0, 0]] * 5)
    assert experts.unevenness(always, always.argmax(-1, keepdim=True)) == 4


def test_training_minds_the_balance_and_serving_does_not(untrained, scratch):
    model = METHOD.build(untrained, setting(), scratch).train()
    training = METHOD.train(replace(Training(), loss=_nothing), setting(), scratch)
    model(**text_of(model))
    value = training.loss(model, None)
    assert value.item() == pytest.approx(1e-2 * _mean_balance(model))
    value.backward()
    assert model.layers[0].mlp.router.weight.grad.abs().sum() > 0
    model.eval()(**text_of(model))
    assert training.loss(model, None) == 0


def _nothing(model, batch):
    return torch.zeros(())


def _mean_balance(model):
    return sum(layer.mlp.balance.item() for layer in model.layers) / len(model.layers)


@pytest.mark.parametrize("chosen", [1, 2])
def test_numbers_grow_and_operations_do_not(untrained, scratch, scratch_work, chosen):
    plain = counted_flops(untrained, 96)
    model = METHOD.build(untrained, setting(8, chosen), scratch)
    cost = METHOD.cost(scratch_work, setting(8, chosen))
    assert cost.parameters == cost.trainable_parameters == parameters(model)
    assert parameters(model) > 3 * scratch_work.layers * 3 * 128 * 384
    assert foretold_flops(cost, 96) == pytest.approx(counted_flops(model, 96), rel=1e-3)
    assert counted_flops(model, 96) < 1.02 * plain


def test_what_it_adds_learns_at_rates_of_its_width(untrained, scratch):
    model = METHOD.build(untrained, setting(), scratch)
    assert model.grown == 2  # the base is 64 wide
    rate = model.scaled.learning_rate
    assert rate("encoder.layers.3.mlp.router.weight") == 1 / 2
    assert rate("encoder.layers.3.mlp.down_proj.weight") == 1 / 2
    assert rate("encoder.norm.weight") == 1


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, setting(), scratch)
    assert left < 0.75
    reads_only_what_came(trained)
    survives_saving(METHOD, setting(), trained, scratch, tmp_path / "model")


def test_it_computes_under_autocast(untrained, scratch):
    layer = METHOD.build(untrained, setting(), scratch).layers[0].mlp
    states = torch.randn(2, 7, 128)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = layer(states)
    torch.testing.assert_close(found.float(), layer(states), atol=0.05, rtol=0.1)
