"""masking-rate: how much is hidden behind what, and what answering more of it costs."""

from __future__ import annotations

import pytest
import torch
from languages import learns

from effauto import Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.masking_rate", reason="not here")
METHOD = plugin.MaskingRate()
SETTING = {"rate": 0.4, "corruption": "mask"}


def test_so_much_is_hidden_behind_the_mask(hiding):
    training = METHOD.train(Training(), SETTING, hiding)
    model = hiding.untouched()
    encoded = encode_training(model, hiding.examples, training, hiding)
    batch = collate(range(len(encoded)), encoded, hiding.examples, training, hiding)
    asked = batch.targets != -100
    pieces = sum(row.length - 1 for row in encoded)
    assert int(asked.sum()) == pytest.approx(0.4 * pieces, rel=0.1)
    assert set(batch.inputs["input_ids"][asked].tolist()) == {hiding.mask}


def test_mixed_is_what_is_done_without_it(hiding):
    training = METHOD.train(Training(), {"rate": 0.15, "corruption": "mixed"}, hiding)
    assert training.masking == Training().masking


def test_more_answers_cost_more(hiding, hiding_work):
    from effauto.cost.flops import train_flops, train_head
    from effauto.execution.meter import Meter

    cost = METHOD.cost(hiding_work, SETTING)
    assert train_head(cost) == pytest.approx(train_head(hiding_work) * 0.4 / 0.15)
    hiding.meter = Meter()
    training = METHOD.train(Training(epochs=1), SETTING, hiding)
    model = hiding.untouched()
    training.fit(model, hiding.examples, training, hiding)
    encoded = encode_training(model, hiding.examples, training, hiding)
    read = max(row.length for row in encoded)
    foretold = train_flops(cost) / cost.backward_passes
    share = -(-read // 8) * 8 / cost.train_tokens
    assert hiding.meter.flops.total == pytest.approx(foretold * share, rel=0.1)


def test_it_learns(hiding):
    torch.manual_seed(0)
    assert learns(METHOD, SETTING, hiding)[0] < 0.9
