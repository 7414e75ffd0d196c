"""How a recipe is carried out on each family of models: build, train, compress, serve, save."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from effauto.composition import Composition
from effauto.execution.artefact import Manifest, save_artefact
from effauto.execution.context import Context
from effauto.execution.job import Job, versions
from effauto.knobs import Setting
from effauto.recipe import Recipe
from effauto.task.examples import Examples
from effauto.traits import PLAIN_TEXT
from effauto.workload import baseline_of

if TYPE_CHECKING:
    from effauto.execution.predictor import Predictor
    from effauto.model.transformer import TaskModel

Values = dict[str, float]
SAMPLE = 201  # rows that stand for all requests


def linear(job: Job, composition: Composition, examples: Examples, context: Context) -> Values:
    """Fit a bag of words to ``examples`` and save it; return what that cost, in SI units."""
    from effauto.execution.linear import fit_linear

    context.report("fitting", 0.0)
    predictor = fit_linear(examples, job.classes, job.seed)
    context.meter.stop().flops.charged += predictor.operations
    save_artefact(job.folder, _manifest(job, composition, context, {}), predictor)
    operations = predictor.request_operations((context.requests or examples.inputs)[:SAMPLE])
    return _costs(context, examples, predictor.parameters) | {"inference.flops": operations}


def transformer(job: Job, composition: Composition, examples: Examples, context: Context) -> Values:
    """Build, train, compress, serve and save a network; return what that cost, in SI units."""
    from effauto.model.transformer import describe

    model = _trained(composition, examples, context)
    for method, setting in composition.steps:
        model = method.compress(model.eval(), setting, context)
    operations = _request_operations(model, context)
    parameters = sum(tensor.numel() for tensor in model.state_dict().values())
    network = describe(model)
    predictor = _served(model, composition, context)
    context.meter.stop()
    save_artefact(job.folder, _manifest(job, composition, context, network), predictor)
    return _costs(context, examples, parameters) | {"inference.flops": operations}


def _trained(composition: Composition, examples: Examples, context: Context) -> TaskModel:
    from effauto.execution.prefix import trained
    from effauto.execution.training import Training

    model = context.untouched()
    for method, setting in composition.steps:
        model = method.build(model, setting, context)
    training = Training.of(baseline_of(context.model))
    for method, setting in composition.steps:
        training = method.train(training, setting, context)
    return trained(
        model.to(context.device),
        lambda built: training.fit(built, examples, training, context).settle(),
        context,
    )


def _served(model: TaskModel, composition: Composition, context: Context) -> Predictor:
    from effauto.execution.predictor import Predictor, TorchRuntime

    predictor = Predictor(
        context.task.kind,
        context.classes,
        context.encoding(model),
        context.model.max_tokens,
        TorchRuntime(model.eval()),
        model,
    )
    for method, setting in composition.steps:
        predictor = method.serve(predictor, setting, context)
    return predictor


def _request_operations(model: TaskModel, context: Context) -> float:
    """Operations of one request of median length; those of eight-bit numbers count alike.

    Requests are like all training rows, whichever of them the recipe trains on.
    """
    import torch

    from effauto.execution.meter import flop_counter

    encoded = context.encoding(model).encode(
        (context.requests or context.examples.inputs)[:SAMPLE], context.model.max_tokens
    )
    median = sorted(encoded, key=lambda row: row.length)[len(encoded) // 2]
    arrays = context.pad([median])
    inputs = {name: torch.from_numpy(array).to(context.device) for name, array in arrays.items()}
    with torch.no_grad(), flop_counter() as counter:
        model.eval()(**inputs)
    return float(counter.get_total_flops())


def _costs(context: Context, examples: Examples, parameters: int) -> Values:
    meter = context.meter
    return {
        "train.time": meter.seconds,
        "train.cpu_time": meter.cpu_seconds,
        "train.memory": meter.memory,
        "train.flops": meter.flops.total,
        "train.labels": float(_labels(examples, context)),
        "model.parameters": float(parameters),
        **meter.device.beside(),
    }


def _labels(examples: Examples, context: Context) -> int:
    """Text that is foretold piece by piece is its own label."""
    if examples.kind in PLAIN_TEXT:
        return 0
    return max(len(examples), context.labels_read)


def _manifest(
    job: Job, composition: Composition, context: Context, network: Mapping[str, Any]
) -> Manifest:
    settings: dict[str, Setting] = {m.name: setting for m, setting in composition.steps}
    return Manifest(
        kind=job.task.kind,
        classes=job.classes,
        family=context.model.family,
        model=job.model,
        recipe=Recipe.from_settings(settings),
        order=tuple(method.name for method, _ in composition.steps),
        network=network,
        max_tokens=context.model.max_tokens,
        versions=versions(),
    )
