"""From a job to its trace: build, two training steps, compress, and requests."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from effauto.composition import compose
from effauto.cost.memory import SERVING_BATCH
from effauto.cost.trace import Counted, Trace
from effauto.errors import ModelError
from effauto.execution.batches import Batch
from effauto.execution.encoding import padded_length
from effauto.execution.job import Job
from effauto.execution.meter import Meter
from effauto.execution.tracing.fakes import (
    FakeContext,
    batch_of,
    changed,
    filled,
    numberless,
    quiet,
)
from effauto.execution.tracing.following import (
    Steps,
    Unfollowable,
    blaming,
    following,
    with_verb,
)
from effauto.execution.tracing.recorder import Recorder, tensors_of
from effauto.execution.training import Descent, Moment, Training
from effauto.method import Method
from effauto.model.source import find_model
from effauto.model.transformer import TaskModel
from effauto.task.exchange import read_split

# Optimizers make their states in the first step, so the second is the one to count.
TRAINING_STEPS = 2


def trace(
    job: Job, methods: Mapping[str, Method], *, train_tokens: int, request_tokens: int
) -> Trace:
    """Follow ``job.recipe`` with training rows and requests of so many word pieces.

    No weights are read and nothing is allocated for them. A method of which one verb cannot be
    followed is left out as a whole, and the trace's notes say so. Raises IllegalRecipe, and
    ModelError for a model that has no network or whose code wants numbers.
    """
    source = find_model(job.model)
    if source.traits.family != "transformer":
        raise ModelError(f"{job.model} has no network to trace")
    composition = compose(job.recipe, methods, job.task, source.traits, job.hardware)
    steps = composition.require_legal().steps
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="effauto-trace-") as folder, quiet():
        context = context_of(job, Path(folder))
        while True:
            followed = [step for step in steps if step[0].name not in skipped]
            try:
                found = _followed(followed, context, train_tokens, request_tokens)
                break
            except Unfollowable as error:
                skipped[error.method] = str(error)
    return replace(found, notes=tuple(skipped.values()), skipped=frozenset(skipped))


def context_of(job: Job, folder: Path) -> FakeContext:
    """The surroundings; what is made of tensors without numbers comes into no cache of others."""
    return FakeContext(
        task=job.task,
        source=find_model(job.model),
        classes=job.classes,
        seed=job.seed,
        threads=job.hardware.threads,
        device="cpu",
        folder=folder,
        cache=folder / "cache",
        meter=Meter(),
        provenance="",
        data_provenance="",
        examples=read_split(job.data / "train.jsonl")[0],
    )


def _followed(steps: Steps, context: FakeContext, train_tokens: int, request_tokens: int) -> Trace:
    _require_known_runtime(steps)
    mode = FakeTensorMode()
    model = _built(steps, context, mode)
    training = _training(steps, context)
    tokens = min(train_tokens, training.max_tokens, context.model.max_tokens)
    step = _step(model, steps, training, padded_length(tokens), mode)
    model = _compressed(model.eval(), steps, context, mode)
    state = list(model.state_dict().values())
    length = padded_length(min(request_tokens, context.model.max_tokens))
    return Trace(
        step=step,
        request=_answered(model, steps, 1, length, mode),
        batch=_answered(model, steps, int(SERVING_BATCH), length, mode),
        saved_bytes=float(sum(tensor.nbytes for tensor in state)),
        parameters=float(sum(tensor.numel() for tensor in state)),
        epochs=training.epochs,
        batch_size=training.batch_size,
    )


def _require_known_runtime(steps: Steps) -> None:
    for method, _ in with_verb(steps, "serve"):
        raise Unfollowable(method, "serve", "it answers in a way of its own")


def _built(steps: Steps, context: FakeContext, mode: FakeTensorMode) -> TaskModel:
    model = context.untouched()
    for method, setting in with_verb(steps, "build"):
        verb = partial(method.build, setting=setting, context=context)
        with following(method, "build"):
            model = changed(model, verb, mode)
    return filled(model, mode)


def _training(steps: Steps, context: FakeContext) -> Training:
    training = Training()
    for method, setting in with_verb(steps, "train"):
        with following(method, "train"):
            described = method.train(training, setting, context)
        if described.fit is not training.fit:
            raise Unfollowable(method, "train", "it trains in a way of its own")
        training = described
    return training


def _step(
    model: TaskModel, steps: Steps, training: Training, tokens: int, mode: FakeTensorMode
) -> Counted:
    recorder = Recorder()
    with blaming(steps, ("train", "build")), numberless(mode):
        batch = batch_of(model, training.batch_size, tokens)
        recorder.hold([*tensors_of(model), *batch.inputs.values(), batch.targets])
        descent = Descent(model, training, TRAINING_STEPS)
        for number in range(1, TRAINING_STEPS + 1):
            recorder.start()
            _descend(descent, batch, recorder, training, Moment(number, TRAINING_STEPS, 0, False))
    return recorder.counted(batch.tokens)


def _descend(
    descent: Descent, batch: Batch, recorder: Recorder, training: Training, moment: Moment
) -> None:
    """One round of the loop of ``by_gradient``."""
    with recorder.watching():
        descent.gradients(batch)
        descent.update()
        for watch in training.after_step:
            watch(descent.model, moment)


def _compressed(
    model: TaskModel, steps: Steps, context: FakeContext, mode: FakeTensorMode
) -> TaskModel:
    for method, setting in with_verb(steps, "compress"):
        with following(method, "compress"), numberless(mode):
            model = method.compress(model.eval(), setting, context)
    return model.eval()


def _answered(
    model: TaskModel, steps: Steps, rows: int, tokens: int, mode: FakeTensorMode
) -> Counted:
    recorder = Recorder()
    with blaming(steps, ("compress", "build")), numberless(mode), torch.no_grad():
        batch = batch_of(model, rows, tokens)
        recorder.hold([*tensors_of(model), *batch.inputs.values()])
        with recorder.watching():
            model(**batch.inputs)
    return recorder.counted(batch.tokens)
