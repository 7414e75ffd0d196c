"""Judge a saved artefact in a process that has seen nothing but its folder."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from effauto.errors import TrialError
from effauto.execution.artefact import Answers, load_artefact, read_manifest, size_of
from effauto.execution.device import device_for, memory_note, start, use_threads
from effauto.execution.job import Job
from effauto.execution.language import compression
from effauto.execution.meter import Meter
from effauto.execution.predictor import Predictor
from effauto.execution.train import import_libraries
from effauto.method import Method
from effauto.resources import GUARD, Figure, exactly, share_of
from effauto.task.examples import Examples
from effauto.task.exchange import read_split
from effauto.task.task import COMPRESSION
from effauto.traits import PLAIN_TEXT

BATCH = 32
WARM_UP = 5
PEAK = "peak, above an idle process"
REQUESTS = 60
LEAST_OF_A_CLASS = 5
# The middle 80 % of repeats; a shared machine's worst moments say little about the model.
SPREAD = (10, 90)


def judge(
    job: Job, methods: Callable[[], Mapping[str, Method]], progress: Callable[[str, float], None]
) -> dict[str, Figure]:
    """Load ``job.folder`` and measure it on ``job.split``: quality, size, speed and memory."""
    examples, _ = read_split(job.data / f"{job.split}.jsonl")
    family = read_manifest(job.folder).family
    import_libraries(family)  # part of the idle process, not the model
    use_threads(job.hardware.threads)
    device = device_for(family, job.hardware)
    start(device)
    meter = Meter(device)
    artefact = load_artefact(job.folder, methods, job.hardware.threads, device)
    progress("judging", 0.0)
    predicted, throughput = _throughput(artefact, examples)
    figures = {
        f"quality.{job.task.metric}": _judged(job.task.metric, examples, predicted, artefact),
        "inference.throughput": throughput,
        "inference.latency": _latency(artefact, examples, job),
        "inference.memory": exactly(
            meter.stop().memory, "byte", note=memory_note(meter.device.beside()) or PEAK
        ),
        "model.size": exactly(float(size_of(job.folder)), "byte"),
    }
    if examples.kind not in PLAIN_TEXT:
        figures |= worst_class(job.classes, examples, predicted)
    keep_answers(job, examples, predicted)
    progress("judging", 1.0)
    return figures


def worst_class(
    classes: Sequence[str], examples: Examples, predicted: list[Any]
) -> dict[str, Figure]:
    """The least share of a class's rows (or words) that are answered rightly, with its range.

    Classes of fewer than ``LEAST_OF_A_CLASS`` rows say too little and are left out.
    """
    truth, found = map(np.array, _flatten(examples, predicted))
    rows = {c: truth == c for c in range(len(classes))}
    shares = {
        c: float(np.mean(found[of_class] == c))
        for c, of_class in rows.items()
        if of_class.sum() >= LEAST_OF_A_CLASS
    }
    if not shares:
        return {}
    worst = min(shares, key=lambda c: shares[c])
    count = int(rows[worst].sum())
    note = f"{classes[worst]!r:.40}, {count} rows"
    return {f"{GUARD}worst_class": share_of(shares[worst], count, note)}


def keep_answers(job: Job, examples: Examples, predicted: list[Any]) -> None:
    """Write the answers where the job says, so that they can be compared with another model's."""
    if "answers" in job.details:
        _, found = _flatten(examples, predicted)
        Path(job.details["answers"]).write_text(json.dumps([int(answer) for answer in found]))


def _throughput(artefact: Answers, examples: Examples) -> tuple[list[Any], Figure]:
    """Predict everything at batch 32; the spread is that of up to four parts of the rows."""
    rows = examples.inputs
    artefact.predict_indices(rows[:BATCH], BATCH)
    shuffled = random.Random(0).sample(range(len(rows)), len(rows))
    predicted: dict[int, Any] = {}
    rates = []
    parts = max(1, min(4, len(rows) // BATCH))
    for part in range(parts):
        chosen = shuffled[part::parts]
        start = time.perf_counter()
        answers = artefact.predict_indices([rows[row] for row in chosen], BATCH)
        rates.append(len(chosen) / (time.perf_counter() - start))
        predicted |= dict(zip(chosen, answers, strict=True))
    middle, low, high = float(np.median(rates)), min(rates), max(rates)
    figure = Figure(middle, "1/s", low, high, "measured", f"batch {BATCH}, {len(rows)} rows")
    return [predicted[row] for row in range(len(rows))], figure


def _latency(artefact: Answers, examples: Examples, job: Job) -> Figure:
    requests = job.details.get("requests", REQUESTS)
    chosen = random.Random(job.seed).choices(examples.inputs, k=WARM_UP + requests)
    times = []
    for row in chosen:
        start = time.perf_counter()
        artefact.predict_indices([row], 1)
        times.append(time.perf_counter() - start)
    times = times[WARM_UP:]
    low, high = np.percentile(times, SPREAD)
    note = f"batch 1, median of {requests} requests"
    return Figure(float(np.median(times)), "s", float(low), float(high), "measured", note)


def _judged(metric: str, examples: Examples, predicted: list[Any], artefact: Answers) -> Figure:
    if metric != COMPRESSION:
        return quality(metric, examples, predicted)
    if not isinstance(artefact, Predictor):
        raise TrialError("a language model is judged by its logits, and this runtime gives none")
    return compression(artefact, examples)


def quality(metric: str, examples: Examples, predicted: list[Any]) -> Figure:
    """The metric with its 80 % interval over rows (normal approximation, for macro-F1 rough)."""
    truth, found = _flatten(examples, predicted)
    if metric == "accuracy":
        value = float(np.mean(np.equal(truth, found)))
    else:
        from sklearn.metrics import f1_score

        value = float(f1_score(truth, found, average="macro"))
    return share_of(value, len(examples), f"{len(examples)} rows")


def _flatten(examples: Examples, predicted: list[Any]) -> tuple[list[int], list[int]]:
    if examples.kind != "token-classification":
        return list(examples.targets), predicted  # type: ignore[arg-type]
    truth = [tag for target in examples.targets for tag in target]  # type: ignore[union-attr]
    return truth, [tag for tags in predicted for tag in tags]
