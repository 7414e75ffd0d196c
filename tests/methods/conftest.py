"""A tiny transformer with random weights and a real tokenizer, and what verbs are given."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from effauto import Examples, TaskModel, Workload
from effauto.errors import ModelError
from effauto.execution.context import Context
from effauto.execution.meter import Meter
from effauto.model import find_model
from effauto.model.source import ModelSource
from effauto.traits import MASKED_LANGUAGE_MODELING, TaskTraits

TASK = TaskTraits("text-classification", "accuracy", 200, 3, 14.0, 30, 60)
NOTHING = Examples("text-classification", (), ())


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
    """A BERT of 4 layers of width 32, with MiniLM's tokenizer."""
    import torch
    from transformers import BertConfig, BertModel

    try:
        tokenizer = find_model("minilm").files / "tokenizer.json"
    except ModelError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("tiny")
    config = BertConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=4, intermediate_size=64
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    return find_model(str(folder))


@pytest.fixture
def context(source: ModelSource, tmp_path: Path) -> Context:
    """What verbs are given, with a task of three classes and no examples yet."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Context(
        task=TASK,
        source=source,
        classes=("a", "b", "c"),
        seed=0,
        threads=1,
        device="cpu",
        folder=folder,
        cache=tmp_path / "cache",
        meter=Meter(),
        provenance="built",
        data_provenance="data",
        examples=NOTHING,
    )


@pytest.fixture
def model(context: Context) -> TaskModel:
    return context.untouched().eval()


@pytest.fixture
def work(source: ModelSource) -> Workload:
    return Workload.untouched(TASK, source.traits)


@pytest.fixture
def surroundings(context: Context) -> Callable[[Examples], Context]:
    """What verbs are given when these are the training examples."""

    def surroundings(examples: Examples) -> Context:
        pairs = examples.kind == "pair-classification"
        classes = context.classes[:2] if pairs else context.classes
        task = replace(
            context.task, kind=examples.kind, examples=len(examples), classes=len(classes)
        )
        return replace(context, task=task, classes=classes, examples=examples)

    return surroundings


@pytest.fixture(scope="session")
def untrained_source(tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
    """A config of a Llama of 4 layers, 128 wide with 4 heads, and a tokenizer of a few words."""
    from effauto.checks.tiny import tiny_text
    from effauto.model.scratch import Size, write_untrained

    folder = tmp_path_factory.mktemp("untrained")
    write_untrained(folder, Size(128, 4), tiny_text()[1], positions=256)
    return find_model(str(folder))


@pytest.fixture
def scratch(context: Context, untrained_source: ModelSource) -> Context:
    """What verbs are given when a language model is trained from scratch."""
    from effauto.checks.tiny import tiny_text, tiny_traits

    task = tiny_traits("language-modeling")
    pieces = tuple(map(str, range(task.classes)))
    return replace(
        context, task=task, source=untrained_source, classes=pieces, examples=tiny_text()[0]
    )


@pytest.fixture(scope="session")
def untrained_encoder(tmp_path_factory: pytest.TempPathFactory) -> ModelSource:
    """The same as an encoder, whose tokenizer can hide pieces."""
    from effauto.checks.tiny import tiny_text
    from effauto.model.scratch import Size, write_untrained

    folder = tmp_path_factory.mktemp("encoder")
    write_untrained(folder, Size(128, 4), tiny_text(MASKED_LANGUAGE_MODELING)[1], positions=256)
    return find_model(str(folder))


@pytest.fixture
def hiding(context: Context, untrained_encoder: ModelSource) -> Context:
    """What verbs are given when a masked language model is trained from scratch."""
    from effauto.checks.tiny import tiny_text, tiny_traits

    kind = MASKED_LANGUAGE_MODELING
    task, examples = tiny_traits(kind), tiny_text(kind)[0]
    pieces = tuple(map(str, range(task.classes)))
    return replace(context, task=task, source=untrained_encoder, classes=pieces, examples=examples)


@pytest.fixture
def hiding_work(hiding: Context) -> Workload:
    return Workload.untouched(hiding.task, hiding.model)


@pytest.fixture
def untrained(scratch: Context) -> TaskModel:
    return scratch.untouched().eval()


@pytest.fixture
def scratch_work(scratch: Context) -> Workload:
    return Workload.untouched(scratch.task, scratch.model)
