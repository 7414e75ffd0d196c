"""Whole trials of the untouched recipe: trained, saved, reloaded in a fresh process, judged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_tasks import HARDWARE, classes_of, examples_of

import effauto
from effauto.cost import Place, parse_prices
from effauto.execution.figures import training_figures
from effauto.execution.judge import judge, quality
from effauto.execution.train import train
from effauto.method import Method
from effauto.recipe import Recipe
from effauto.resources import Figure
from effauto.task import write_split
from effauto.task.examples import Examples

KINDS = ("text-classification", "pair-classification", "token-classification")
TRAINED = {"train.time", "train.cpu_time", "train.memory", "train.flops", "train.labels",
           "model.parameters", "inference.flops"}  # fmt: skip
JUDGED = {"quality.accuracy", "guard.worst_class", "inference.throughput", "inference.latency",
          "inference.memory", "model.size"}  # fmt: skip


def carried_out(worker, job):
    values = worker.run(job)["values"]
    figures = worker.run(job.judging())["figures"]
    return values, {name: Figure.from_json(figure) for name, figure in figures.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", ["bag-of-words", "tiny"])
def test_every_cost_is_measured(worker, job, tiny_model, kind, model):
    asked = job(kind=kind, model=tiny_model if model == "tiny" else model)
    values, figures = carried_out(worker, asked)
    assert set(values) == TRAINED
    assert set(figures) == JUDGED
    assert min(values.values()) >= 0
    assert values["train.labels"] == 120
    assert values["train.flops"] > values["inference.flops"] > 0
    assert figures["quality.accuracy"].value > 1 / 4
    assert figures["model.size"].value == sum(p.stat().st_size for p in asked.folder.iterdir())
    for name in ("inference.latency", "inference.throughput"):
        assert 0 < figures[name].low <= figures[name].value <= figures[name].high < 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_answers_alike_in_every_process(worker, job, tiny_model, kind):
    asked = job(kind=kind, model=tiny_model)
    worker.run(asked)
    test = examples_of(kind, 40, seed=1)
    model = effauto.load(asked.folder, threads=1)
    inputs = [fields if len(fields) > 1 else fields[0] for fields in test.inputs]
    if kind == "token-classification":
        inputs = [list(fields) for fields in test.inputs]
    named = model.predict(inputs)
    classes = classes_of(kind)
    assert named == [
        classes[found] if isinstance(found, int) else [classes[tag] for tag in found]
        for found in model.predict_indices(test.inputs, 3)
    ]
    again = worker.run(asked.judging())["figures"]["quality.accuracy"]["value"]
    assert quality("accuracy", test, model.predict_indices(test.inputs)).value == again


def test_a_seed_decides_everything(worker, job, tiny_model):
    def state(seed):
        asked = job(model=tiny_model, rows=60, seed=seed)
        worker.run(asked)
        return (asked.folder / "model.safetensors").read_bytes()

    assert state(1) == state(1)
    assert state(1) != state(2)


def test_a_share_of_the_rows_is_part_of_a_larger_one(worker, job):
    half = worker.run(job(fidelity=0.5))["values"]
    assert half["train.labels"] == 60
    assert worker.run(job(fidelity=1.0))["values"]["train.labels"] == 120


class Shortest(Method):
    """Trains on the shortest rows."""

    name = "keep-shortest"
    summary = "Keep the shortest rows."
    stage = "data"

    def cost(self, work, setting):
        return work.on_share(0.5)

    def prepare(self, data, setting, context):
        by_length = sorted(range(len(data)), key=lambda row: len(data.inputs[row][0]))
        return data.select(sorted(by_length[: len(data) // 2]))


def test_a_request_is_as_dear_whichever_rows_are_trained_on(job, tiny_model):
    methods = {"keep-shortest": Shortest()}
    spent = [
        train(replace(job(model=tiny_model), recipe=recipe), methods, lambda what, share: None)
        for recipe in (Recipe(), Recipe.of("keep-shortest"))
    ]
    assert spent[1]["train.flops"] < spent[0]["train.flops"]
    assert spent[1]["inference.flops"] == spent[0]["inference.flops"]


def test_only_the_split_that_is_named_is_read(worker, job):
    asked = job()
    worker.run(asked)
    validation = asked.data / "validation.jsonl"
    validation.rename(asked.data / "test.jsonl")
    assert worker.run(asked.judging("test"))["figures"]["quality.accuracy"]["value"] > 0.9


def test_nothing_but_the_model_is_left(worker, job, tmp_path):
    worker.run(job())
    assert {path.name for path in tmp_path.iterdir()} == {"data", "model"}


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_very_few_rows_can_be_judged(worker, job, rows):
    asked = job()
    worker.run(asked)
    few = examples_of("text-classification", rows)
    write_split(few, classes_of("text-classification"), asked.data / "validation.jsonl")
    throughput = judge(asked.judging(), dict, lambda what, share: None)["inference.throughput"]
    assert throughput.low > 0


def test_accuracy_of_tags_is_that_of_words():
    examples = Examples("token-classification", (("a", "b", "c"), ("d",)), ((0, 1, 1), (2,)))
    assert quality("accuracy", examples, [(0, 1, 0), (2,)]).value == 0.75


def test_macro_f1_is_the_mean_over_classes():
    examples = Examples("text-classification", (("a",),) * 4, (0, 0, 0, 1))
    figure = quality("macro_f1", examples, [0, 0, 1, 1])
    assert figure.value == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert 0 <= figure.low < figure.value < figure.high <= 1


def test_energy_carbon_and_money_follow_from_time():
    values = {"train.time": 3600.0, "train.labels": 10.0}
    figures = training_figures(values, HARDWARE, Place("DEU"), parse_prices(["1EUR/hour"]))
    assert figures["train.energy"].value == 20 * 3600
    assert figures["train.energy"].low == 10 * 3600
    assert figures["train.energy"].note.startswith("modelled")
    assert figures["train.carbon"].unit == "gram"
    assert figures["train.cost"].value == pytest.approx(1.0)
    assert figures["train.cost"].unit == "EUR"
    assert "train.cost" not in training_figures(values, HARDWARE, Place(), parse_prices([]))


def test_a_job_survives_json_both_ways(job):
    asked = replace(job(), details={"fingerprint": "f00d"}, time_limit=3.0)
    assert type(asked).from_json(asked.to_json()) == asked
