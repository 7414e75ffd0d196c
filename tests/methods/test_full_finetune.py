"""full-finetune: its knobs are the baseline's, and reach both the training and its cost."""

from __future__ import annotations

import pytest

from effauto import Training

plugin = pytest.importorskip("effauto.bundled.full_finetune", reason="this plugin is not here")
METHOD = plugin.FullFinetune()
DEFAULTS = {name: knob.default for name, knob in METHOD.knobs.items()}


def test_the_defaults_are_those_of_the_empty_recipe(work, context):
    assert METHOD.train(Training(), DEFAULTS, context) == Training()
    assert METHOD.cost(work, DEFAULTS) == work


def test_knobs_reach_training_and_cost(work, context):
    setting = {"epochs": 1, "learning_rate": 3e-5, "batch_size": 8}
    training = METHOD.train(Training(), setting, context)
    assert (training.epochs, training.learning_rate, training.batch_size) == (1, 3e-5, 8)
    cost = METHOD.cost(work, setting)
    assert (cost.forward_passes, cost.backward_passes, cost.batch_size) == (1, 1, 8)
