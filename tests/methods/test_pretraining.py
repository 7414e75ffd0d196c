"""pretraining: its knobs are the baseline's of training from scratch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from effauto import SCRATCH_BASELINE, Training

plugin = pytest.importorskip("effauto.bundled.pretraining", reason="this plugin is not here")
METHOD = plugin.Pretraining()
DEFAULTS = {name: knob.default for name, knob in METHOD.knobs.items()}


def test_the_defaults_are_those_of_the_empty_recipe(work, context):
    baseline = Training.of(SCRATCH_BASELINE)
    assert METHOD.train(baseline, DEFAULTS, context) == baseline
    passes = SCRATCH_BASELINE.epochs
    plain = replace(
        work, forward_passes=passes, backward_passes=passes, batch_size=SCRATCH_BASELINE.batch_size
    )
    assert METHOD.cost(plain, DEFAULTS) == plain


def test_knobs_reach_training_and_cost(work, context):
    setting = {"epochs": 9, "learning_rate": 2**-7, "batch_size": 8, "weight_decay": 0.01}
    training = METHOD.train(Training(), setting, context)
    assert (training.epochs, training.learning_rate) == (9, 2**-7)
    assert (training.batch_size, training.weight_decay) == (8, 0.01)
    cost = METHOD.cost(work, setting)
    assert (cost.forward_passes, cost.backward_passes, cost.batch_size) == (9, 9, 8)
