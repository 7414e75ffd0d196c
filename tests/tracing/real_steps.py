"""The same steps as a trace's, taken with real numbers."""

from __future__ import annotations

from dataclasses import replace

from effauto.composition import compose
from effauto.execution.context import Context
from effauto.execution.job import Job
from effauto.execution.tracing.fakes import batch_of
from effauto.execution.tracing.recorder import Recorder, tensors_of
from effauto.execution.tracing.trace import context_of
from effauto.execution.training import Descent, Training
from effauto.method import Method
from effauto.model import find_model


class Frozen(Method):
    """Declares no cost: the trace alone tells what it does."""

    name = "frozen"
    summary = "Train the head alone, by steps"
    stage = "finetune"

    def build(self, model, setting, context):
        model.encoder.requires_grad_(False)
        return model


class Sixteen(Method):
    name = "sixteen"
    summary = "Batches of sixteen"
    stage = "finetune"

    def train(self, training, setting, context):
        return replace(training, batch_size=16)


def taken(job: Job, methods, tokens: int):
    """What the second of two training steps counts."""
    fake = context_of(job, job.folder)
    context = Context(**vars(fake))
    traits = find_model(job.model).traits
    steps = compose(job.recipe, methods, job.task, traits, job.hardware).steps
    model, training = context.untouched(), Training()
    for method, setting in steps:
        model = method.build(model, setting, context)
        training = method.train(training, setting, context)
    recorder = Recorder()
    batch = batch_of(model, training.batch_size, tokens)
    batch.inputs["attention_mask"][:, -1] = 0
    recorder.hold([*tensors_of(model), *batch.inputs.values(), batch.targets])
    descent = Descent(model, training, 2)
    for _ in range(2):
        recorder.start()
        with recorder.watching():
            descent.gradients(batch)
            descent.update()
    return recorder.counted(batch.tokens)
