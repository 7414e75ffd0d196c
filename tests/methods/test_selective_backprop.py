"""selective-backprop: gradients of the selected rows and of no others."""

from __future__ import annotations

import pytest
import torch
from running import refusals, run
from saving import predictor_of
from topics import examples_of

from effauto import Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.selective_backprop", reason="it is not here")
selection = pytest.importorskip("effauto.bundled.selective_backprop.selection")
rows = pytest.importorskip("effauto.bundled.selective_backprop.rows")
METHOD = plugin.SelectiveBackprop()
KINDS = ["text-classification", "pair-classification", "token-classification"]


@pytest.fixture
def batched(surroundings):
    """A model and a batch of ten rows; the texts of pairs are read apart."""

    def batched(kind, places=range(10)):
        context = surroundings(examples_of(kind, 30))
        model = context.untouched().eval()
        if kind == "pair-classification":
            model.pair_separately()
        encoded = encode_training(model, context.examples, Training(), context)
        batch = collate(list(places), encoded, context.examples, Training(), context)
        return model, batch, context

    return batched


@pytest.mark.parametrize("kind", KINDS)
def test_a_rows_loss_is_that_of_the_row_alone(batched, kind):
    model, batch, _ = batched(kind)
    for place, loss in enumerate(rows.row_losses(model, batch)):
        alone = rows.rows_at(batch, torch.tensor([place]))
        assert alone.rows == (place,)
        logits = model(**alone.inputs).flatten(0, -2)
        targets = alone.targets.flatten()
        odds = logits.log_softmax(-1)[targets >= 0, targets[targets >= 0]]
        assert float(loss) == pytest.approx(-float(odds.mean()), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_some_rows_is_what_collating_them_gives(batched, kind):
    _, batch, _ = batched(kind)
    _, wanted, _ = batched(kind, [2, 3, 7])
    found = rows.rows_at(batch, torch.tensor([2, 3, 7]))
    assert found.rows == wanted.rows
    assert torch.equal(found.targets, wanted.targets)
    for name, tensor in wanted.inputs.items():
        assert torch.equal(found.inputs[name], tensor)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_hardest_rows(batched, kind):
    model, batch, _ = batched(kind)
    from effauto.execution.training import cross_entropy

    selection.largest(model, batch, loss=cross_entropy, share=0.25).backward()
    found = [p.grad.clone() for p in model.parameters()]
    losses = rows.row_losses(model, batch).tolist()
    hardest = sorted(sorted(range(10), key=losses.__getitem__)[-3:])
    model.zero_grad()
    cross_entropy(model, rows.rows_at(batch, torch.tensor(hardest))).backward()
    for ours, parameter in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad)


def test_a_loss_that_is_set_later_is_kept(surroundings):
    """A method that wraps the training afterwards and brings a loss gets it on selected rows."""
    context = surroundings(examples_of("text-classification", 20))
    training = METHOD.train(Training(epochs=1, batch_size=10), {"share": 0.3}, context)
    seen = []

    def loss(model, batch):
        seen.append(len(batch.rows))
        return model(**batch.inputs).square().mean()

    from dataclasses import replace

    training.fit(context.untouched(), context.examples, replace(training, loss=loss), context)
    assert seen == [3, 3]


@pytest.mark.slow
def test_a_model_learns(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    given = Training(epochs=6, learning_rate=3e-3, batch_size=8)
    training = METHOD.train(given, {"share": 0.5}, context)
    model = training.fit(context.untouched(), context.examples, training, context)
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 75


@pytest.mark.parametrize(
    "partners",
    [{"bitfit": {}, "dynamic-padding": {}}, {"layer-drop": {}, "distillation": {}}],
)
def test_it_stands_in_a_recipe(source, tmp_path, partners):
    ran = run({METHOD.name: {"share": 0.3}, **partners}, source, tmp_path)
    assert ran.measured["train.flops"] > 0


def test_what_takes_no_gradient_steps_is_refused(source):
    (reason,) = refusals({METHOD.name: {}, "head-only": {}}, source)
    assert "gradient training" in reason


def test_fewer_rows_cost_less(work):
    costs = [METHOD.cost(work, {"share": share}) for share in (0.1, 0.3, 0.6)]
    total = [cost.forward_passes + 2 * cost.backward_passes for cost in costs]
    assert total == sorted(total)
    assert total[-1] < work.forward_passes + 2 * work.backward_passes
    for cost in costs:  # as many steps as before
        steps = cost.backward_passes * cost.examples / cost.batch_size
        assert steps == pytest.approx(work.backward_passes * work.examples / work.batch_size)
