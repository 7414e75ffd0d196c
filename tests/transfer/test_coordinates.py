"""The coordinate check passes in maximal update, and fails where a rule of it is left out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from effauto.transfer import maximal_update, parameter_groups, resized
from effauto.transfer.coordinates import coordinate_check

BASE = LlamaConfig(
    hidden_size=64,
    num_hidden_layers=1,
    num_attention_heads=4,
    num_key_value_heads=4,
    intermediate_size=128,
    vocab_size=40,
    bos_token_id=0,
    eos_token_id=0,
)
RATE = 2e-3
PARTS = ("model.layers.0.self_attn", "model.layers.0.mlp", "model.layers.0")


def steepest(make: Any) -> float:
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randint(0, 40, (8, 32), generator=generator) for _ in range(5)]
    found = coordinate_check(make, PARTS, batches, (64, 128, 256), seeds=2)
    return max(abs(slope) for slope in found.slopes.values())


def made(width: int, seed: int) -> tuple[Any, Any]:
    torch.manual_seed(seed)
    model = LlamaForCausalLM(resized(BASE, width))
    scaled = maximal_update(model, BASE)
    return model, torch.optim.Adam(parameter_groups(model, scaled, RATE))


def test_activations_change_alike_at_every_width() -> None:
    assert steepest(made) < 0.15


@pytest.mark.parametrize("left_out", ["rates", "readout", "everything"])
def test_without_a_rule_the_width_is_felt(left_out: str) -> None:
    def otherwise(width: int, seed: int) -> tuple[Any, Any]:
        torch.manual_seed(seed)
        model = LlamaForCausalLM(resized(BASE, width))
        if left_out == "everything":
            return model, torch.optim.Adam(model.parameters(), lr=RATE)
        scaled = maximal_update(model, BASE)
        if left_out == "rates":
            return model, torch.optim.Adam(model.parameters(), lr=RATE)
        for handle in scaled.handles:
            handle.remove()
        return model, torch.optim.Adam(parameter_groups(model, scaled, RATE))

    assert steepest(otherwise) > 0.3
