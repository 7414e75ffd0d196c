"""distillation: the loss against its definition, and what the teacher is asked and costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from saving import predictor_of
from topics import examples_of

from effauto import Training, collate, encode_training
from effauto.cost.flops import train_flops
from effauto.cost.memory import train_peak

plugin = pytest.importorskip("effauto.bundled.distillation", reason="this plugin is not here")
teacher = pytest.importorskip("effauto.bundled.distillation.teacher")
student = pytest.importorskip("effauto.bundled.distillation.student")
METHOD = plugin.Distillation()
KINDS = ["text-classification", "pair-classification", "token-classification"]


@pytest.fixture
def asked(surroundings):
    """A small student, a batch of its rows, and a teacher's answers to all rows."""

    def asked(kind):
        context = surroundings(examples_of(kind, 12))
        model = context.untouched().eval()
        model.keep_layers([0])
        soft = teacher.soft_targets(context.examples, Training(), context)
        encoded = encode_training(model, context.examples, Training(), context)
        batch = collate([7, 2, 9], encoded, context.examples, Training(), context)
        return model, batch, soft, context

    return asked


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_the_paper(asked, kind):
    model, batch, soft, context = asked(kind)
    temperature, alpha = 3.0, 0.6
    loss = student.distillation_loss(
        model, batch, soft=soft, temperature=temperature, alpha=alpha, hidden=0.0
    ).item()
    total, count = 0.0, 0
    logits = model(**batch.inputs).detach()
    for place, row in enumerate(batch.rows):
        wanted = soft.logits[soft.starts[row] : soft.starts[row + 1]]
        targets = batch.targets[place].flatten()
        given = logits[place].view(len(targets), -1)[targets >= 0]
        for ours, theirs, target in zip(given, wanted, targets[targets >= 0], strict=True):
            p = (theirs / temperature).double().softmax(-1)
            q = (ours / temperature).double().softmax(-1)
            hard = -ours.double().softmax(-1)[target].log()
            total += alpha * temperature**2 * (p * (p / q).log()).sum() + (1 - alpha) * hard
            count += 1
    assert count == (
        3
        if kind != "token-classification"
        else sum(len(context.examples.targets[row]) for row in batch.rows)
    )
    assert loss == pytest.approx(float(total / count), rel=1e-4)


def test_the_hidden_term_is_that_of_the_paper(asked):
    """Row by row: products with the others, scaled to length 1, and the squares of what differs."""
    model, batch, soft, _ = asked("pair-classification")
    terms = [
        student.distillation_loss(
            model, batch, soft=soft, temperature=1.0, alpha=0.5, hidden=weight
        ).item()
        for weight in (0.0, 2.0)
    ]
    ours = model.features(**batch.inputs).detach().numpy().astype(float)
    theirs = soft.states[[soft.starts[row] for row in batch.rows]].numpy().astype(float)
    total = 0.0
    for row in range(len(ours)):
        profiles = [[part[row] @ other for other in part] for part in (ours, theirs)]
        profiles = [np.array(p) / np.linalg.norm(p) for p in profiles]
        total += ((profiles[0] - profiles[1]) ** 2).sum()
    assert terms[1] - terms[0] == pytest.approx(2.0 * total / len(ours), rel=1e-3)
    wider = torch.cat([soft.states, soft.states], dim=1).float()
    assert student.likeness_loss(wider, soft.states.float()) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_answers_stand_at_the_rows_they_were_given_for(surroundings, kind):
    context = surroundings(examples_of(kind, 12))
    taught = []

    def fit(model, *rest):
        taught.append(model.eval())
        return model

    made = teacher._ask(fit(context.untouched()), context.examples, Training(), context)
    tensors = (torch.from_numpy(made[name]) for name in ("logits", "states"))
    soft = teacher.SoftTargets(*tensors, made["starts"].tolist())
    found = predictor_of(taught[0], context).predict_indices(context.examples.inputs)
    for row, answer in enumerate(found):
        best = soft.of([row])[0].argmax(-1).tolist()
        assert best == (list(answer) if isinstance(answer, tuple) else [answer])


def test_the_teacher_is_trained_once_for_all_students_and_charged_to_each(surroundings):
    context = surroundings(examples_of("text-classification", 24))
    first = teacher.soft_targets(context.examples, Training(), context)
    spent = context.meter.flops.total
    later = replace(context, provenance="another student", meter=type(context.meter)())
    second = teacher.soft_targets(context.examples, Training(), later)
    assert torch.equal(first.logits, second.logits)
    assert later.meter.flops.total == pytest.approx(spent)
    assert later.meter.charged_seconds > 0
    another = replace(context, data_provenance="other data")
    teacher.soft_targets(context.examples, Training(), another)
    assert another.meter.flops.total > 1.9 * spent


def test_the_student_learns_and_is_the_same_with_a_kept_teacher(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    given = Training(epochs=5, learning_rate=3e-3, batch_size=8)
    training = METHOD.train(given, {"temperature": 2.0, "alpha": 0.7, "hidden": 0.5}, context)
    students = []
    for _ in range(2):
        model = context.untouched()
        model.keep_layers([0])
        students.append(training.fit(model, context.examples, training, context))
    for ours, again in zip(*(model.parameters() for model in students), strict=True):
        assert torch.equal(ours, again)
    found = predictor_of(students[0], context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 75


def test_the_cost_is_that_of_student_and_teacher(work):
    """The teacher is the whole network, trained and asked, whatever the student is."""
    smaller = replace(work, layers=work.layers / 4, weight_gradients=0.0, layer_parameters=9.0)
    cost = METHOD.cost(replace(smaller, base=work), {"temperature": 2.0, "alpha": 0.5})
    taught, asked = cost.before
    assert train_flops(taught) == pytest.approx(train_flops(work))
    assert train_flops(asked) < train_flops(work) / 9 * 1.01
    assert train_flops(replace(cost, before=())) == train_flops(smaller)
    assert train_peak(cost) > train_peak(work) > train_peak(smaller)
