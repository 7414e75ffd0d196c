"""The closed form counts what torch's counter counts, on models that are really run."""

from dataclasses import replace

import pytest
from shapes import TASK, encoder

from effauto.cost.flops import layers_attention, layers_linear, train_flops
from effauto.workload import Workload

LAYERS, WIDTH, BATCH, LENGTH = 2, 192, 4, 48


@pytest.fixture(scope="module")
def body():
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=100,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=12,
        intermediate_size=4 * WIDTH,
        attn_implementation="eager",
    )
    return BertModel(config, add_pooling_layer=False)


@pytest.fixture
def work() -> Workload:
    """One batch, once, without a head."""
    task = replace(TASK, examples=BATCH, tokens_max=LENGTH)
    untouched = Workload.untouched(task, encoder(LAYERS, WIDTH))
    return replace(untouched, head_parameters=0.0, forward_passes=1.0, backward_passes=1.0)


def counted(body, backward: bool) -> float:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    tokens = torch.randint(0, 100, (BATCH, LENGTH))
    with FlopCounterMode(display=False) as counter:
        states = body(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
        if backward:
            states.sum().backward()
    return float(counter.get_total_flops())


def test_forward(body, work):
    foretold = layers_linear(work, BATCH * LENGTH) + BATCH * layers_attention(work, LENGTH)
    assert foretold == pytest.approx(counted(body, backward=False), rel=0.01)


def test_full_training(body, work):
    body.requires_grad_(True)
    assert train_flops(work) == pytest.approx(counted(body, backward=True), rel=0.01)


def test_training_of_biases_only(body, work):
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))
    biases_only = replace(work, weight_gradients=0.0)
    assert train_flops(biases_only) == pytest.approx(counted(body, backward=True), rel=0.01)
