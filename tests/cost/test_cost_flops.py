"""The closed form counts what torch's counter counts, on models that are really run."""

from dataclasses import replace

import pytest
from shapes import TASK, encoder

from effauto.cost.flops import layers_attention, layers_linear, train_flops
from effauto.execution.meter import flop_counter
from effauto.workload import Workload

LAYERS, WIDTH, BATCH, LENGTH = 2, 192, 4, 48
EXACT = 1e-3


@pytest.fixture(params=[0.1, 0.0], ids=["dropout", "no dropout"])
def dropout(request):
    return request.param


@pytest.fixture
def body(dropout):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=100,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=12,
        intermediate_size=4 * WIDTH,
        attention_probs_dropout_prob=dropout,
    )
    return BertModel(config, add_pooling_layer=False).train()


@pytest.fixture
def work(dropout) -> Workload:
    """One batch, once, without a head."""
    task = replace(TASK, examples=BATCH, tokens_max=LENGTH)
    model = replace(encoder(LAYERS, WIDTH), attention_dropout=dropout)
    untouched = Workload.untouched(task, model)
    return replace(untouched, head_parameters=0.0, forward_passes=1.0, backward_passes=1.0)


def counted(body, backward: bool) -> float:
    import torch

    tokens = torch.randint(0, 100, (BATCH, LENGTH))
    with flop_counter() as counter:
        states = body(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state
        if backward:
            states.sum().backward()
    return float(counter.get_total_flops())


def test_forward(body, work):
    foretold = layers_linear(work, BATCH * LENGTH) + BATCH * layers_attention(work, LENGTH)
    assert foretold == pytest.approx(counted(body, backward=False), rel=EXACT)


def test_full_training(body, work):
    assert train_flops(work) == pytest.approx(counted(body, backward=True), rel=EXACT)


def test_training_of_biases_only(body, work):
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))
    biases_only = replace(work, weight_gradients=0.0)
    assert train_flops(biases_only) == pytest.approx(counted(body, backward=True), rel=EXACT)


def test_training_of_queries_alone(body, work):
    """Below the first layer nothing is trained, so its inputs and keys need no gradient."""
    for name, parameter in body.named_parameters():
        parameter.requires_grad_("query" in name)
    queries = WIDTH * WIDTH / work.layer_matrices
    pairs = 2 * WIDTH if work.pair_numbers else 0.0
    spared = {"spared_flops": 2 * work.projections, "spared_pair_flops": pairs}
    alone = replace(work, weight_gradients=queries, **spared)
    # Values of the first layer need no gradient either: two products of the attention fewer.
    fewer = BATCH * LENGTH**2 * pairs
    assert train_flops(alone) - fewer == pytest.approx(counted(body, backward=True), rel=EXACT)


def test_texts_read_apart_do_not_meet(work):
    apart = replace(work, inputs=2.0)
    whole, halves = train_flops(work), train_flops(apart)
    pairs = BATCH * layers_attention(work, LENGTH) * (1.0 + work.attention_backward)
    assert whole - halves == pytest.approx(pairs / 2)


def test_adapters_are_multiplied_three_times(work):
    more = replace(work, adapter_parameters=1000.0)
    assert train_flops(more) - train_flops(work) == 3 * 2 * 1000 * BATCH * LENGTH


def test_the_head_of_a_tagger_reads_every_token(work):
    pooled = replace(work, head_parameters=10.0 * (WIDTH + 1))
    tagging = replace(pooled, tagging=1.0)
    head = train_flops(pooled) - train_flops(work)
    assert head == pytest.approx(3 * 2 * 10 * WIDTH * BATCH)
    assert train_flops(tagging) - train_flops(work) == pytest.approx(head * LENGTH)
