"""magnitude-pruning against torch's own pruning."""

from __future__ import annotations

import pytest
import torch
from saving import logits_of, predictor_of, saved, tensor_bytes
from torch.nn.utils import prune as reference

plugin = pytest.importorskip("effauto.bundled.magnitude_pruning", reason="this plugin is not here")
METHOD = plugin.MagnitudePruning()


def linears(model):
    return [module for module in model.layers.modules() if isinstance(module, torch.nn.Linear)]


def names_of(model):
    return [name for name, module in model.named_modules() if module in linears(model)]


@pytest.mark.parametrize("scope", ["global", "matrix"])
@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9])
def test_the_mask_is_that_of_torch(model, context, scope, sparsity):
    expected = context.untouched()
    if scope == "global":
        targets = [(module, "weight") for module in linears(expected)]
        reference.global_unstructured(targets, reference.L1Unstructured, amount=sparsity)
    else:
        for module in linears(expected):
            reference.l1_unstructured(module, "weight", amount=sparsity)
    METHOD.compress(model, {"sparsity": sparsity, "scope": scope}, context)
    for ours, theirs in zip(linears(model), linears(expected), strict=True):
        assert torch.equal(ours.weight, theirs.weight)


def test_two_of_four_is_the_mask_of_torchs_own_sparsifier(model, context):
    sparsifier = pytest.importorskip("torch.ao.pruning").WeightNormSparsifier(
        sparsity_level=1.0, sparse_block_shape=(1, 4), zeros_per_block=2
    )
    expected = context.untouched()
    sparsifier.prepare(expected, [{"tensor_fqn": f"{n}.weight"} for n in names_of(expected)])
    sparsifier.step()
    METHOD.compress(model, {"sparsity": 0.9, "scope": "2:4"}, context)
    for ours, theirs in zip(linears(model), linears(expected), strict=True):
        assert torch.equal(ours.weight, theirs.weight)
        assert (ours.weight.unflatten(1, (-1, 4)) != 0).sum(dim=-1).eq(2).all()


def test_only_the_matrices_of_the_layers_change(model, context):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    METHOD.compress(model, {"sparsity": 0.5, "scope": "global"}, context)
    changed = {n for n, tensor in model.state_dict().items() if not torch.equal(tensor, before[n])}
    assert all(".layer." in name and name.endswith(".weight") for name in changed)
    assert len(changed) == len(linears(model)) == 24


def test_zeros_make_the_file_smaller_and_are_still_there(model, context, tmp_path):
    setting = {"sparsity": 0.8, "scope": "global"}
    saved(predictor_of(model, context), METHOD, setting, tmp_path / "full")
    METHOD.compress(model, setting, context)
    loaded = saved(predictor_of(model, context), METHOD, setting, tmp_path / "pruned")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()
    weights = sum(module.weight.numel() for module in linears(model))
    gain = tensor_bytes(tmp_path / "full") - tensor_bytes(tmp_path / "pruned")
    assert gain == pytest.approx(weights * (4 * 0.8 - 1 / 8), rel=1e-3)


def test_cost_is_density(work):
    cost = METHOD.cost(work, {"sparsity": 0.8, "scope": "global"})
    assert cost.density == pytest.approx(0.2)
    assert METHOD.cost(work, {"sparsity": 0.8, "scope": "2:4"}).density == pytest.approx(0.5)
    assert (cost.layers, cost.compute) == (work.layers, work.compute)
