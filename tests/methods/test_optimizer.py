"""optimizer: each update against its definition written in numpy, and what it remembers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import run
from saving import logits_of, predictor_of, saved
from topics import examples_of

from effauto import Training
from effauto.workload import ADAMW_BYTES

plugin = pytest.importorskip("effauto.bundled.optimizer", reason="this plugin is not here")
make = pytest.importorskip("effauto.bundled.optimizer.make")
eight_bit = pytest.importorskip("effauto.bundled.optimizer.eight_bit")
METHOD = plugin.Optimizer()
KINDS = ("adafactor", "lion", "sgd", "adamw-8bit")
RATE, DECAY = 1e-3, 0.1


def taken(kind, start, gradients, decay=DECAY):
    """The numbers after these steps, at the method's own learning rate for ``kind``."""
    parameter = torch.nn.Parameter(torch.tensor(start))
    groups = [{"params": [parameter], "weight_decay": decay}]
    optimizer = make.make(groups, RATE, kind=kind, rate=2.0)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    return parameter.detach().numpy()


def sgd(x, gradients, lr, decay):
    for g in gradients:
        x = x - lr * (g + decay * x)
    return x


def lion(x, gradients, lr, decay):
    """Algorithm 2 of the paper: β1 0.9 in the step, β2 0.99 in the memory."""
    m = np.zeros_like(x)
    for g in gradients:
        x = x - lr * (np.sign(0.9 * m + 0.1 * g) + decay * x)
        m = 0.99 * m + 0.01 * g
    return x


def adafactor(x, gradients, lr, decay):
    """Algorithms 4 and 5 with relative steps: factored second moments, updates clipped at 1."""
    rows = columns = whole = 0.0
    for t, g in enumerate(gradients, start=1):
        squares, beta = g**2, 1 - t**-0.8
        step = max(1e-3, np.sqrt((x**2).mean())) * min(lr, t**-0.5)
        if x.ndim == 2:
            rows = beta * rows + (1 - beta) * squares.mean(axis=1)
            columns = beta * columns + (1 - beta) * squares.mean(axis=0)
            whole = np.outer(rows, columns) / rows.mean()
        else:
            whole = beta * whole + (1 - beta) * squares
        update = g / np.sqrt(whole)
        update = update / max(1.0, np.sqrt((update**2).mean()))
        x = x - lr * decay * x - step * update
    return x


REFERENCES = {"adafactor": adafactor, "lion": lion, "sgd": sgd}


EXACT = tuple(REFERENCES)


@pytest.mark.parametrize("shape", [(6, 4), (5,)], ids=["matrix", "vector"])
@pytest.mark.parametrize("kind", EXACT)
def test_updates_are_those_of_the_definition(kind, shape):
    generator = np.random.default_rng(0)
    start = generator.normal(size=shape)
    gradients = [generator.normal(size=shape) for _ in range(5)]
    factor = 2.0 * make.USUAL[kind]
    expected = REFERENCES[kind](start, gradients, factor * RATE, DECAY / factor)
    np.testing.assert_allclose(taken(kind, start, gradients), expected, rtol=1e-9)


def test_adafactor_is_that_of_transformers():
    """With steps relative to the weights, before the rate's own decay sets in."""
    from transformers.optimization import Adafactor

    generator = np.random.default_rng(1)
    start = generator.normal(size=(6, 4))
    gradients = [generator.normal(size=(6, 4)) for _ in range(5)]
    parameter = torch.nn.Parameter(torch.tensor(start))
    rate = RATE * 2.0 * make.USUAL["adafactor"]
    optimizer = Adafactor([parameter], lr=rate, relative_step=False, scale_parameter=True)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
    expected = parameter.detach().numpy()
    np.testing.assert_allclose(taken("adafactor", start, gradients, 0.0), expected, rtol=1e-5)


def test_eight_bits_move_weights_as_thirty_two_do():
    """Moments are off by a step of their root at most, and the weights' way differs by a little."""
    torch.manual_seed(0)
    moment = torch.randn(40, 30) * torch.logspace(-4, 0, 30)
    for highest, root, values in ((127, 2, moment), (255, 4, moment.square())):
        codes, scale = eight_bit.packed(values, highest, root)
        found = eight_bit.unpacked(codes, scale, highest, root, values)
        largest = torch.nn.functional.pad(values.flatten(), (0, -1200 % 256)).view(-1, 256)
        largest = largest.abs().amax(dim=1).repeat_interleave(256)[:1200].view(40, 30)
        rooted = [(part.abs() / largest) ** (1 / root) for part in (found, values)]
        assert (rooted[0] - rooted[1]).abs().max() <= 1.001 / highest
        assert root == 2 or (found > 0).all()
    weights = [torch.nn.Parameter(torch.ones(40, 30)) for _ in range(2)]
    plain = torch.optim.AdamW([weights[0]], lr=1e-2, weight_decay=0.1)
    small = make.make(
        [{"params": [weights[1]], "weight_decay": 0.1}], 1e-2, kind="adamw-8bit", rate=1.0
    )
    for _ in range(50):
        gradient = (torch.randn(40, 30) + 0.5) * torch.logspace(-2, 0, 30)
        for weight, optimizer in zip(weights, (plain, small), strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    moved, differs = (weights[0] - 1).abs(), (weights[0] - weights[1]).abs()
    assert differs.mean() < 0.05 * moved.mean()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_decay_as_with_adamw(kind):
    start = np.ones((3, 3))
    with_decay, without = (taken(kind, start, [start], decay) for decay in (DECAY, 0.0))
    np.testing.assert_allclose(without - with_decay, RATE * DECAY * start, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_its_state_has_the_foretold_bytes(model, context, work, kind):
    setting = {"kind": kind, "rate": 1.0}
    training = METHOD.train(Training(), setting, context)
    weights = [p for p in model.layers.parameters() if p.ndim > 1]
    optimizer = training.optimizer([{"params": weights, "weight_decay": 0.0}], 1e-4)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimizer.step()
    kept = [t for state in optimizer.state.values() for t in state.values()]
    found = sum(t.nbytes for t in kept if isinstance(t, torch.Tensor) and t.ndim)
    foretold = METHOD.cost(work, setting).optimizer_bytes
    assert found == pytest.approx(foretold * sum(w.numel() for w in weights), rel=0.3)
    assert foretold < ADAMW_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_and_nothing_of_it_is_saved(surroundings, tmp_path, kind):
    context = surroundings(examples_of("text-classification", 48))
    given = Training(epochs=6, learning_rate=2e-3, batch_size=8)
    training = METHOD.train(given, {"kind": kind, "rate": 1.0}, context)
    seen = []

    def loss(model, batch):
        seen.append(given.loss(model, batch))
        return seen[-1]

    training = replace(training, loss=loss)
    model = training.fit(context.untouched(), context.examples, training, context)
    first, last = (torch.stack(part).mean().item() for part in (seen[:5], seen[-5:]))
    assert last < 0.8 * first
    loaded = saved(
        predictor_of(model, context), METHOD, {"kind": kind, "rate": 1.0}, tmp_path / "m"
    )
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


def test_what_trains_nothing_keeps_nothing(work):
    frozen = replace(work, optimizer_bytes=0.0)
    assert METHOD.cost(frozen, {"kind": "lion", "rate": 1.0}).optimizer_bytes == 0


@pytest.mark.slow
def test_a_student_of_a_teacher_is_trained_with_it(source, tmp_path):
    ran = run(
        {
            "layer-drop": {"keep": 0.5},
            "full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8},
            "optimizer": {"kind": "lion"},
            "distillation": {},
        },
        source,
        tmp_path,
    )
    assert ran.right > 0.6
