"""Do a job of training: check the recipe, prepare the data, carry it out and meter it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from effauto.composition import Composition, compose
from effauto.errors import OutputError
from effauto.execution.context import Context, provenance_of
from effauto.execution.device import device_for, start, use_threads
from effauto.execution.energy import counted
from effauto.execution.families import Values, linear, transformer
from effauto.execution.job import Job, versions
from effauto.execution.meter import Meter
from effauto.execution.pace import Pace
from effauto.method import Method
from effauto.model.source import ModelSource, find_model
from effauto.task.examples import Examples
from effauto.task.exchange import read_split

Progress = Callable[[str, float], None]


def train(job: Job, methods: Mapping[str, Method], progress: Progress) -> Values:
    """Train ``job.recipe`` and save it in ``job.folder``; return what training cost, in SI units.

    Raises IllegalRecipe before anything runs, OutputError, and whatever a method raises.
    """
    with opened(job, methods, Pace(progress)) as trial, counted(job.hardware) as energy:
        values = trial.carry_out()
    return values | energy.values


@dataclass
class Trial:
    """A training that may begin."""

    job: Job
    composition: Composition
    examples: Examples
    context: Context

    def carry_out(self) -> Values:
        """Prepare the data and do what the model's family does with them."""
        examples = self.examples
        for method, setting in self.composition.steps:
            examples = method.prepare(examples, setting, self.context)
        self.context.examples = examples
        family = linear if self.context.model.family == "linear" else transformer
        return family(self.job, self.composition, examples, self.context)


@contextmanager
def opened(job: Job, methods: Mapping[str, Method], progress: Progress) -> Iterator[Trial]:
    """Check the recipe and read the rows; its meter starts now, and its scratch folder goes."""
    source = find_model(job.model)
    composition = compose(job.recipe, methods, job.task, source.traits, job.hardware)
    composition.require_legal()
    examples = _share(read_split(job.data / "train.jsonl")[0], job.fidelity)
    import_libraries(source.traits.family)  # not a cost of the recipe
    use_threads(job.hardware.threads)
    _import_packages(composition)
    start(device_for(source.traits.family, job.hardware), job.memory_limit)
    work = _work_folder(job)
    try:
        context = _context(job, source, composition, examples, work, progress)
        yield Trial(job, composition, examples, context)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _import_packages(composition: Composition) -> None:
    """Import what the methods say they need, which is no cost of the recipe either."""
    for method, _ in composition.steps:
        for package in method.needs.packages or {}:
            import_module(package)


def _work_folder(job: Job) -> Path:
    work = job.folder.with_name(f"{job.folder.name}.work")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {work} cannot be made: {error.strerror}") from error
    return work


def _context(
    job: Job,
    source: ModelSource,
    composition: Composition,
    examples: Examples,
    work: Path,
    progress: Progress,
) -> Context:
    """What the verbs are given; the meter starts here."""
    device = device_for(source.traits.family, job.hardware)
    return Context(
        task=job.task,
        source=source,
        classes=job.classes,
        seed=job.seed,
        threads=job.hardware.threads,
        device=device,
        folder=work,
        cache=job.cache,
        provenance=_provenance(job, composition, "prepare", "build"),
        data_provenance=_provenance(job, composition, "prepare"),
        trained_provenance=_trained_provenance(job, composition),
        examples=examples,
        requests=examples.inputs,
        progress=progress,
        meter=Meter(device),
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


def _trained_provenance(job: Job, composition: Composition) -> str:
    if not job.details.get("share_training"):
        return ""
    digest = _provenance(job, composition, "prepare", "build", "train")
    return provenance_of(built=digest, seed=job.seed, threads=job.hardware.threads)


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
        device=job.hardware.device,
        steps=deciding,
        seed=job.seed if deciding else 0,
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
