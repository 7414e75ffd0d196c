"""A language model is trained from scratch, saved plain, reloaded and judged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sums import job_of, task_of, trained_by

from effauto.execution.batches import next_pieces
from effauto.execution.job import Job
from effauto.execution.judge import judge
from effauto.execution.language import compression
from effauto.execution.predictor import Predictor
from effauto.model.fresh import untrained
from effauto.model.scratch import Size, write_untrained
from effauto.task import Task
from effauto.traits import LANGUAGE_MODELING


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return task_of(tmp_path_factory.mktemp("text"), LANGUAGE_MODELING, sums=3000, rows=160)


@pytest.fixture(scope="module")
def job(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return job_of(task, tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def trained(job: Job) -> tuple[Predictor, dict[str, float]]:
    return trained_by(job)


def test_it_learns(trained: tuple[Predictor, dict[str, float]], task: Task) -> None:
    figure = compression(trained[0], task.validation)
    uniform = math.log2(len(task.classes)) * task.traits.tokens_mean
    before = uniform / np.mean([len(text.encode()) for (text,) in task.validation.inputs])
    assert 8 * (1 - figure.value) < before / 2
    assert figure.low < figure.value < figure.high
    assert "bits a byte, perplexity" in figure.note


def test_operations_are_those_that_were_foretold(trained: Any, job: Job) -> None:
    from effauto.cost import estimate
    from effauto.model import find_model
    from effauto.workload import Workload

    foretold = estimate(Workload.untouched(job.task, find_model(job.model).traits), job.hardware)
    assert trained[1]["train.flops"] == pytest.approx(foretold["train.flops"].value, rel=0.02)
    assert trained[1]["train.labels"] == foretold["train.labels"].value == 0


def test_the_folder_is_one_that_transformers_loads(trained: Any, job: Job, task: Task) -> None:
    """The body computes the same without any of effauto's hooks."""
    from transformers import AutoModel

    rows = task.validation.inputs[:2]
    plain = AutoModel.from_pretrained(job.folder, dtype=torch.float32).eval()
    encoded = trained[0].encoding.encode(rows, 128)
    arrays = {n: torch.from_numpy(a) for n, a in trained[0].encoding.collate(encoded).items()}
    with torch.no_grad():
        states = plain(**arrays).last_hidden_state
        head = trained[0].runtime.model.head
        found = head(states).numpy()
    np.testing.assert_allclose(found, trained[0].runtime.run(arrays_of(arrays)), atol=1e-4)


def arrays_of(tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def test_judging_tells_no_worst_class(trained: Any, job: Job) -> None:
    figures = judge(job.judging("validation"), dict, lambda what, share: None)
    assert "quality.compression" in figures
    assert not any(name.startswith("guard.") for name in figures)


def test_predicting_goes_on_with_a_text(trained: Any) -> None:
    assert trained[0].predict(["17 plus 3 makes 20, and that is all there"]) == [" is"]


def test_surprise_is_the_loss(trained: Any, task: Task) -> None:
    """Summed over the pieces after the first, as torch's cross-entropy has it."""
    predictor, rows = trained[0], task.validation.inputs[:3]
    encoded = predictor.encoding.encode(rows, 128)
    arrays = predictor.encoding.collate(encoded)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    logits = torch.from_numpy(predictor.runtime.run(arrays))
    loss = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), next_pieces(tensors).flatten(), ignore_index=-100, reduction="sum"
    )
    found = predictor.surprise(rows)
    assert sum(row.nats for row in found) == pytest.approx(float(loss), rel=1e-5)
    assert [row.bytes for row in found] == [len(text.encode()) for (text,) in rows]


def test_targets_are_the_inputs_one_place_on() -> None:
    inputs = {
        "input_ids": torch.tensor([[5, 6, 7, 1], [5, 8, 1, 1]]),
        "attention_mask": torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]]),
    }
    assert next_pieces(inputs).tolist() == [[6, 7, -100, -100], [8, -100, -100, -100]]


def test_a_wide_model_is_scaled_until_it_is_settled(task: Task, tmp_path: Path) -> None:
    write_untrained(tmp_path, Size(128, 4), task.tokenizer, 128)
    torch.manual_seed(0)
    model = untrained(tmp_path, LANGUAGE_MODELING, len(task.classes)).eval()
    tokens, mask = torch.arange(10).unsqueeze(0), torch.ones(1, 10, dtype=torch.long)
    assert model.scaled is not None
    assert (model.scaled.width, model.scaled.depth) == (2.0, 2.0)
    before = model(tokens, mask)
    torch.testing.assert_close(model.settle()(tokens, mask), before)
    assert model.scaled is None
    assert json.loads((tmp_path / "config.json").read_text())["hidden_size"] == 128
