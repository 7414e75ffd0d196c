"""state-space: the convolution is the recurrence that the paper defines."""

from __future__ import annotations

import pytest
import torch
from languages import (
    counted_flops,
    foretold_flops,
    learns,
    parameters,
    reads_only_what_came,
    survives_saving,
)

plugin = pytest.importorskip("effauto.bundled.state_space", reason="this plugin is not here")
filters = pytest.importorskip("effauto.bundled.state_space.filters")
METHOD = plugin.StateSpace()
FEW = {"states": 8}


def test_the_filter_is_the_discretised_recurrence():
    """x_k = exp(Δ A) x_(k-1) + (exp(Δ A) - 1) / A u_k, y_k = 2 Re(C x_k) + D u_k."""
    torch.manual_seed(0)
    layer = filters.Filter(channels=3, states=4)
    inputs = torch.randn(2, 40, 3)
    with torch.no_grad():
        found = layer(inputs)
        diagonal = torch.complex(
            torch.full((3, 4), -0.5), torch.pi * torch.arange(4.0).repeat(3, 1)
        )
        transition = (diagonal * layer.log_step.exp()[:, None]).exp()
        drive = (transition - 1) / diagonal
        readout = torch.view_as_complex(layer.readout)
        state = torch.zeros(2, 3, 4, dtype=torch.complex64)
        for step in range(40):
            state = transition * state + drive * inputs[:, step, :, None]
            expected = 2 * (readout * state).sum(-1).real + layer.through * inputs[:, step]
            torch.testing.assert_close(found[:, step], expected, rtol=1e-3, atol=1e-4)


def test_a_model_reads_only_what_came(untrained, scratch):
    reads_only_what_came(METHOD.build(untrained, FEW, scratch))


def test_it_costs_what_it_has(untrained, scratch, scratch_work):
    model = METHOD.build(untrained, FEW, scratch)
    cost = METHOD.cost(scratch_work, FEW)
    assert cost.parameters == cost.trainable_parameters == parameters(model)
    assert foretold_flops(cost, 128) == pytest.approx(counted_flops(model, 128), rel=0.05)


def test_what_it_adds_learns_at_the_rate_of_vectors(untrained, scratch):
    model = METHOD.build(untrained, FEW, scratch)
    assert model.scaled.learning_rate("encoder.layers.0.self_attn.filter.log_step") == 1
    assert model.scaled.learning_rate("encoder.layers.0.self_attn.v_proj.weight") == 1 / 2


def test_it_learns_and_is_saved(scratch, tmp_path):
    left, trained = learns(METHOD, FEW, scratch)
    assert left < 0.75
    survives_saving(METHOD, FEW, trained, scratch, tmp_path / "model")
