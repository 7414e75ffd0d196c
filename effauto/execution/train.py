"""Carry out a recipe: data, model, training, compression, serving; save what comes out."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto.execution.artefact import Manifest, save_artefact
from effauto.execution.context import Context, provenance_of
from effauto.execution.job import Job, versions
from effauto.execution.meter import Meter, use_threads
from effauto.knobs import Setting
from effauto.method import Method
from effauto.model.source import ModelSource, find_model
from effauto.recipe import Composition, Recipe, compose
from effauto.task.examples import Examples
from effauto.task.exchange import read_split

if TYPE_CHECKING:
    from effauto.execution.predictor import Predictor
    from effauto.model.transformer import TaskModel

Progress = Callable[[str, float], None]
Values = dict[str, float]
SAMPLE = 201  # rows that stand for all requests


def train(job: Job, methods: Mapping[str, Method], progress: Progress) -> Values:
    """Train ``job.recipe`` and save it in ``job.folder``; return what training cost, in SI units.

    Raises IllegalRecipe before anything runs, and whatever a method raises.
    """
    source = find_model(job.model)
    composition = compose(job.recipe, methods, job.task, source.traits, job.hardware)
    composition.require_legal()
    examples = _share(read_split(job.data / "train.jsonl")[0], job.fidelity)
    use_threads(job.hardware.threads)
    import_libraries(source.traits.family)  # not a cost of the recipe
    work = job.folder.with_name(f"{job.folder.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    context = _context(job, source, composition, examples, work, progress)
    carry_out = _linear if source.traits.family == "linear" else _transformer
    try:
        for method, setting in composition.steps:
            examples = method.prepare(examples, setting, context)
        context.examples = examples
        return carry_out(job, composition, examples, context)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _context(
    job: Job,
    source: ModelSource,
    composition: Composition,
    examples: Examples,
    work: Path,
    progress: Progress,
) -> Context:
    """What the verbs are given; the meter starts here."""
    return Context(
        task=job.task,
        source=source,
        classes=job.classes,
        seed=job.seed,
        threads=job.hardware.threads,
        device=job.hardware.device,
        folder=work,
        cache=job.cache,
        provenance=_provenance(job, composition, "prepare", "build"),
        data_provenance=_provenance(job, composition, "prepare"),
        examples=examples,
        progress=progress,
        meter=Meter(),
    )


def _share(examples: Examples, share: float) -> Examples:
    """A stratified share of the rows; a smaller share is part of a larger one."""
    if share >= 1:
        return examples
    by_class: dict[int, list[int]] = {}
    for row, label in enumerate(examples.labels):
        by_class.setdefault(label, []).append(row)
    kept: list[int] = []
    for label, rows in sorted(by_class.items()):
        random.Random(label).shuffle(rows)
        kept += rows[: max(2, round(share * len(rows)))]
    return examples.select(sorted(kept))


def _provenance(job: Job, composition: Composition, *verbs: str) -> str:
    """A digest of all that decides what comes out of these verbs."""
    deciding = [
        (method.name, method.version, setting)
        for method, setting in composition.steps
        if any(getattr(type(method), verb) is not getattr(Method, verb) for verb in verbs)
    ]
    return provenance_of(
        data=job.details.get("fingerprint", str(job.data)),
        rows=job.task.examples,
        fidelity=job.fidelity,
        model=job.model,
        steps=deciding,
        seed=job.seed if deciding else 0,
        versions=versions(),
    )


def _linear(job: Job, composition: Composition, examples: Examples, context: Context) -> Values:
    from effauto.execution.linear import fit_linear

    context.report("fitting", 0.0)
    predictor = fit_linear(examples, job.classes, job.seed)
    context.meter.stop().flops.charged += predictor.operations
    save_artefact(job.folder, _manifest(job, composition, "linear", {}), predictor)
    operations = predictor.request_operations(examples.inputs[:SAMPLE])
    return _costs(context, examples, predictor.parameters) | {"inference.flops": operations}


def _transformer(
    job: Job, composition: Composition, examples: Examples, context: Context
) -> Values:
    from effauto.model.transformer import describe

    model = _trained(composition, examples, context)
    operations = _request_operations(model, context)
    for method, setting in composition.steps:
        model = method.compress(model.eval(), setting, context)
    parameters = sum(tensor.numel() for tensor in model.state_dict().values())
    network = describe(model)
    predictor = _served(model, composition, context)
    context.meter.stop()
    save_artefact(job.folder, _manifest(job, composition, "transformer", network), predictor)
    return _costs(context, examples, parameters) | {"inference.flops": operations}


def _trained(composition: Composition, examples: Examples, context: Context) -> TaskModel:
    from effauto.execution.training import Training

    model = context.untouched()
    for method, setting in composition.steps:
        model = method.build(model, setting, context)
    training = Training()
    for method, setting in composition.steps:
        training = method.train(training, setting, context)
    return training.fit(model.to(context.device), examples, training, context)


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
    """Operations of one request of median length, before compression changes the kernels."""
    import torch

    from effauto.execution.meter import flop_counter

    encoded = context.encoding(model).encode(
        context.examples.inputs[:SAMPLE], context.model.max_tokens
    )
    median = sorted(encoded, key=lambda row: row.length)[len(encoded) // 2]
    arrays = context.pad([median])
    inputs = {name: torch.from_numpy(array).to(context.device) for name, array in arrays.items()}
    with torch.inference_mode(), flop_counter() as counter:
        model.eval()(**inputs)
    return float(counter.get_total_flops())


def _costs(context: Context, examples: Examples, parameters: int) -> Values:
    meter = context.meter
    return {
        "train.time": meter.seconds,
        "train.cpu_time": meter.cpu_seconds,
        "train.memory": meter.memory,
        "train.flops": meter.flops.total,
        "train.labels": float(len(examples)),
        "model.parameters": float(parameters),
    }


def _manifest(
    job: Job, composition: Composition, family: str, network: Mapping[str, Any]
) -> Manifest:
    settings: dict[str, Setting] = {m.name: setting for m, setting in composition.steps}
    return Manifest(
        kind=job.task.kind,
        classes=job.classes,
        family=family,
        model=job.model,
        recipe=Recipe.from_settings(settings),
        order=tuple(method.name for method, _ in composition.steps),
        network=network,
        max_tokens=2**31 if family == "linear" else find_model(job.model).traits.max_tokens,
        versions=versions(),
    )


def import_libraries(family: str) -> None:
    """Import what training or serving a model of this family imports, and keep it quiet."""
    if family == "linear":
        import sklearn.feature_extraction.text
        import sklearn.linear_model  # noqa: F401

        return
    import transformers
    from transformers import AutoModel, PreTrainedModel  # noqa: F401 - imports torch's compiler

    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
