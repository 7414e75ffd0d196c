"""A masked language model is trained from scratch, judged by what is hidden, and asked for it."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sums import job_of, task_of, trained_by

from effauto.cost import estimate
from effauto.execution.batches import Batch
from effauto.execution.encoding import Encoding, Pieces
from effauto.execution.job import Job
from effauto.execution.judge import judge
from effauto.execution.language import compression
from effauto.execution.masking import Masking
from effauto.execution.predictor import Predictor
from effauto.execution.training import cross_entropy
from effauto.model import find_model
from effauto.model.fresh import untrained
from effauto.model.scratch import Size, make_models, write_untrained
from effauto.task import Task
from effauto.traits import HIDDEN, MASKED_LANGUAGE_MODELING
from effauto.workload import Workload

MASK = 2


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return task_of(tmp_path_factory.mktemp("text"), MASKED_LANGUAGE_MODELING, sums=5000, rows=600)


@pytest.fixture(scope="module")
def job(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Job:
    return job_of(task, tmp_path_factory.mktemp("job"))


@pytest.fixture(scope="module")
def trained(job: Job) -> tuple[Predictor, dict[str, float]]:
    return trained_by(job)


def test_it_learns(trained: tuple[Predictor, dict[str, float]], task: Task) -> None:
    figure = compression(trained[0], task.validation)
    found = trained[0].surprise(task.validation.inputs)
    uniform = math.log2(len(task.classes)) * sum(row.pieces for row in found)
    assert 8 * (1 - figure.value) < uniform / sum(row.bytes for row in found) / 2
    assert figure.low < figure.value < figure.high
    assert "a hidden piece" in figure.note


def test_costs_are_those_that_were_foretold(trained: Any, job: Job) -> None:
    foretold = estimate(Workload.untouched(job.task, find_model(job.model).traits), job.hardware)
    for name in ("train.flops", "inference.flops", "model.parameters"):
        assert trained[1][name] == pytest.approx(foretold[name].value, rel=0.02), name
    assert trained[1]["train.labels"] == foretold["train.labels"].value == 0


def test_the_folder_is_one_that_transformers_loads(trained: Any, job: Job, task: Task) -> None:
    from transformers import AutoModel

    plain = AutoModel.from_pretrained(job.folder, dtype=torch.float32).eval()
    arrays = trained[0].encoding.collate(
        trained[0].encoding.encode(task.validation.inputs[:2], 128)
    )
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    with torch.no_grad():
        found = trained[0].runtime.model.head(plain(**tensors).last_hidden_state).numpy()
    np.testing.assert_allclose(found, trained[0].runtime.run(arrays), atol=1e-4)


def test_judging_tells_no_worst_class(trained: Any, job: Job) -> None:
    figures = judge(job.judging("validation"), dict, lambda what, share: None)
    assert "quality.compression" in figures
    assert not any(name.startswith("guard.") for name in figures)


def test_it_tells_what_is_hidden(trained: Any) -> None:
    assert trained[0].predict(["17 plus 3 makes 20, and that<mask> all there is."]) == [" is"]


def test_surprise_is_the_loss_of_what_is_hidden(trained: Any, task: Task) -> None:
    """The same pieces are hidden at every time: a part of each row, the mask in their place."""
    predictor, rows = trained[0], task.validation.inputs[:3]
    found = predictor.surprise(rows)
    assert found == predictor.surprise(rows)
    encoded = predictor.encoding.encode(rows, 128)
    for row, told in zip(encoded, found, strict=True):
        assert told.pieces == max(1, round(HIDDEN * (len(row.sides[0]) - 1)))
        asked = predictor._asked(row)
        numbers = torch.tensor([row.sides[0]])
        shown = numbers.clone()
        shown[0, asked] = MASK
        logits = predictor.runtime.model(shown, torch.ones_like(shown))[0, asked]
        loss = torch.nn.functional.cross_entropy(logits, numbers[0, asked], reduction="sum")
        assert told.nats == pytest.approx(float(loss.detach()), rel=1e-4)


def test_only_what_is_asked_is_computed(job: Job, task: Task) -> None:
    model = untrained(Path(job.model), MASKED_LANGUAGE_MODELING, len(task.classes)).eval()
    numbers = torch.arange(40).view(2, 20)
    targets = torch.full_like(numbers, -100)
    inputs = {"input_ids": numbers, "attention_mask": torch.ones_like(numbers)}
    assert cross_entropy(model, Batch(inputs, targets, (0, 1))).item() == 0.0
    targets[0, 3], targets[1, 7] = 5, 6
    whole = torch.nn.functional.cross_entropy(model(**inputs).flatten(0, 1), targets.flatten())
    torch.testing.assert_close(cross_entropy(model, Batch(inputs, targets, (0, 1))), whole)


def test_a_deep_wide_encoder_is_scaled_until_it_is_settled(task: Task, tmp_path: Path) -> None:
    write_untrained(tmp_path, Size(128, 4), task.tokenizer, 128)
    torch.manual_seed(0)
    model = untrained(tmp_path, MASKED_LANGUAGE_MODELING, len(task.classes)).eval()
    assert model.scaled is not None
    assert (model.scaled.width, model.scaled.depth) == (2.0, 2.0)
    assert set(model.scaled.outputs.values()) == {0.5}
    tokens, mask = torch.arange(10).unsqueeze(0), torch.ones(1, 10, dtype=torch.long)
    before = model(tokens, mask)
    torch.testing.assert_close(model.settle()(tokens, mask), before)


def test_each_kind_of_text_has_models_of_its_own(task: Task) -> None:
    assert {name.partition("-")[0] for name in make_models(task.tokenizer, 128)} == {"eurobert"}


def test_words_are_known_by_their_first_pieces(task: Task, job: Job) -> None:
    encoding = Encoding.of_folder(
        Path(job.model), MASKED_LANGUAGE_MODELING, "joint", ("input_ids",)
    )
    (row,) = encoding.encode([("17 plus 3 makes 20",)], 128)
    starts = [*row.words, row.length]
    pieces = [encoding.tokenizer.decode(row.sides[0][a:b]) for a, b in pairwise(starts)]
    assert pieces == ["17", " plus", " 3", " makes", " 20"]


SIZES = st.integers(2, 60)


@given(SIZES, st.floats(0.05, 0.9), st.integers(0, 100))
def test_a_share_of_each_row_is_to_be_foretold(size: int, rate: float, seed: int) -> None:
    row = Pieces((tuple(range(10, 10 + size)),))
    places = Masking(rate=rate).places(row, random.Random(seed))
    assert len(places) == len(set(places)) == min(size - 1, max(1, round(rate * (size - 1))))
    assert 0 not in places
    assert max(places) < size


def test_a_row_of_nothing_hides_nothing() -> None:
    assert Masking().places(Pieces(((0,),)), random.Random(0)) == ()


def test_what_is_hidden_is_masked_swapped_or_left() -> None:
    """In the shares of Devlin et al. 2019; what is not hidden stays, and nothing is asked of it."""
    torch.manual_seed(0)
    row = Pieces(((0, *[500] * 999),))
    numbers = np.array([row.sides[0]] * 20)
    read, targets = Masking().applied(numbers, [row] * 20, MASK, 1000)
    asked = targets != -100
    assert int(asked.sum()) == 20 * 150
    assert np.array_equal(read[~asked], numbers[~asked])
    assert np.array_equal(targets[asked], numbers[asked])
    shown = Counter({MASK: "mask", 500: "left"}.get(n, "swapped") for n in read[asked].tolist())
    assert [shown[how] / 3000 for how in ("mask", "swapped", "left")] == pytest.approx(
        [0.8, 0.1, 0.1], abs=0.02
    )
    again, _ = Masking().applied(numbers, [row] * 20, MASK, 1000)
    assert not np.array_equal(read, again)
