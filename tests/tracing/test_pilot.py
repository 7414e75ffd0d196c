"""A pilot stops after a few real steps; a real run tells how long it still takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from effauto.execution import pace
from effauto.execution.job import PILOT, TRACE
from effauto.execution.pilot import TIMED, WARM_UP
from effauto.execution.pool import Worker
from effauto.execution.train import train


@pytest.fixture(scope="module")
def worker():
    with Worker(["transformer"]) as worker:
        yield worker


def piloted(worker, job):
    told = []
    values = worker.run(replace(job, action=PILOT), lambda what, share: told.append(what))["values"]
    return values, told


def test_a_pilot_takes_few_steps_and_leaves_nothing(worker, job, tiny_model, tmp_path):
    values, _ = piloted(worker, job(tiny_model))
    steps = 6  # three passes over sixty rows in batches of 32
    assert values["done"] == pytest.approx((WARM_UP + TIMED) / steps, rel=0.3)
    assert values["step"] > 0
    assert 0 < values["before"] < values["seconds"]
    assert values["left"] == pytest.approx(3 * values["step"], rel=0.4)
    assert values["train.memory"] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


def test_a_bag_of_words_is_fitted_before_a_pilot_could_end(worker, job):
    values, _ = piloted(worker, job("bag-of-words"))
    assert (values["left"], values["done"]) == (0.0, 1.0)
    assert values["seconds"] > 0


def test_a_worker_traces(worker, job, tiny_model):
    lengths = {"train_tokens": 16, "request_tokens": 8}
    asked = replace(job(tiny_model), action=TRACE, details=lengths)
    found = worker.run(asked)["trace"]
    assert found["step"]["flops"] > found["request"]["flops"] > 0


def test_the_time_left_is_told_after_the_counted_steps(monkeypatch):
    clock = iter(range(0, 100, 2))
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    told = []
    tell = pace.Pace(lambda what, share: told.append(what))
    for step in range(1, 11):
        tell("training", step / 10)
    assert told[:3] == ["training"] * 3
    assert told[3:] == [f"training, {2 * left}s left" for left in range(6, 0, -1)] + ["training"]


def test_another_phase_starts_anew():
    told = []
    tell = pace.Pace(lambda what, share: told.append(what))
    for share in (0.2, 0.4, 0.6, 0.8):
        tell("embedding", share)
    tell("training", 0.1)
    assert told[-2].startswith("embedding, ")
    assert told[-1] == "training"


@pytest.mark.parametrize("names", [(), ("dynamic-padding",)])
def test_progress_is_told_in_tokens_and_reaches_the_end(job, tiny_model, methods, names):
    shares = []
    train(job(tiny_model, *names), methods, lambda what, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
