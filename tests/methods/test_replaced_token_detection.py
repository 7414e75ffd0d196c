"""replaced-token-detection: what is filled in, what is asked of each piece, what it costs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from transformers import ElectraConfig, ElectraForPreTraining
from transformers.modeling_outputs import BaseModelOutput

from effauto import SCRATCH_BASELINE, Moment, Training, collate, encode_training
from effauto.execution.meter import Meter

plugin = pytest.importorskip("effauto.bundled.replaced_token_detection", reason="not here")
METHOD = plugin.ReplacedTokenDetection()
SETTING = {"generator": 0.25, "ending": 0.2}


@pytest.fixture
def contest(hiding):
    from effauto.bundled.replaced_token_detection.contest import Contest, _generator

    found = Contest(_generator(hiding.untouched(), hiding, 0.25), Training(), 0.2)
    found.moment = Moment(1, 10, 0, False)
    return found


@pytest.fixture
def batch(hiding):
    training, model = Training(), hiding.untouched()
    encoded = encode_training(model, hiding.examples, training, hiding)
    return collate(range(16), encoded, hiding.examples, training, hiding)


def test_the_generator_has_a_share_of_the_heads(contest):
    config = contest.generator.config
    assert (config.hidden_size, config.num_attention_heads, config.num_hidden_layers) == (32, 1, 4)
    assert plugin.kept_heads(2, 0.25) == 1
    assert plugin.kept_heads(8, 0.25) == 2


def test_only_hidden_pieces_are_filled_in(contest, batch):
    """And one that was guessed rightly counts as the original (Clark et al. 2020, section 2)."""
    filled, replaced = contest.filled(batch)
    asked = batch.targets != -100
    original = torch.where(asked, batch.targets, batch.inputs["input_ids"])
    assert torch.equal(filled["input_ids"][~asked], original[~asked])
    assert torch.equal(replaced, filled["input_ids"] != original)
    assert replaced.any()


def test_the_loss_is_that_of_electra(contest, batch, hiding):
    """transformers' own, given what our body makes of the same pieces."""
    config = ElectraConfig(hidden_size=128, embedding_size=128, num_attention_heads=4, vocab_size=9)
    theirs = ElectraForPreTraining(config).eval()
    model = hiding.untouched().eval()
    model.detector = theirs.discriminator_predictions
    filled, replaced = contest.filled(batch)
    contest.filled = lambda batch: (filled, replaced)
    theirs.electra = Known(model.features(**filled))
    mask = batch.inputs["attention_mask"]
    expected = theirs(filled["input_ids"], attention_mask=mask, labels=replaced).loss
    torch.testing.assert_close(contest(model, batch), expected)


class Known(nn.Module):
    """A body whose answer is known."""

    def __init__(self, states):
        super().__init__()
        self.states = states

    def forward(self, *given, **named):
        return BaseModelOutput(last_hidden_state=self.states)


def test_both_learn_and_nothing_of_it_is_left(hiding):
    model = hiding.untouched()
    names = {name for name, _ in model.named_parameters()}
    training = METHOD.train(replace(Training.of(SCRATCH_BASELINE), epochs=16), SETTING, hiding)
    trained = training.fit(model, hiding.examples, training, hiding)
    assert {name for name, _ in trained.named_parameters()} == names
    encoded = encode_training(trained, hiding.examples, training, hiding)
    batch = collate(range(len(encoded)), encoded, hiding.examples, training, hiding)
    with torch.inference_mode():
        loss = float(Training().loss(trained, batch)) / math.log(trained.classes)
    assert loss < 0.9


def test_its_operations_are_foretold(hiding, hiding_work):
    from effauto.cost.flops import train_flops

    hiding.meter = Meter()
    training = METHOD.train(replace(Training.of(SCRATCH_BASELINE), epochs=20), SETTING, hiding)
    model = hiding.untouched()
    training.fit(model, hiding.examples, training, hiding)
    tokens = max(row.length for row in encode_training(model, hiding.examples, training, hiding))
    work = replace(
        hiding_work,
        examples=float(len(hiding.examples)),
        train_tokens=float(-(-tokens // 8) * 8),
        forward_passes=20.0,
        backward_passes=20.0,
    )
    foretold = train_flops(METHOD.cost(work, SETTING))
    assert hiding.meter.flops.total == pytest.approx(foretold, rel=0.05)
