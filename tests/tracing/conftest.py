"""Jobs to trace, and models to trace them on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from real_steps import Frozen, Sixteen
from sample_tasks import HARDWARE, classes_of, examples_of, traits_of

from effauto.execution.job import TRAIN, Job
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task import write_split


@pytest.fixture(scope="session")
def methods():
    """Those that are bundled, and two that declare no cost."""
    return load_plugins().methods() | {method.name: method for method in (Frozen(), Sixteen())}


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Train a recipe on a small task of a kind."""

    def job(model: Path, *names: str, kind="text-classification", **more: object) -> Job:
        train = examples_of(kind, 60)
        write_split(train, classes_of(kind), tmp_path / "train.jsonl")
        return Job(
            TRAIN, tmp_path, str(model), Recipe.of(*names), traits_of(train), classes_of(kind),
            HARDWARE, tmp_path / "model", tmp_path / "cache", **more,
        )  # type: ignore[arg-type]  # fmt: skip

    return job


@pytest.fixture(scope="session")
def small_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six layers of width 384 with random weights, and few words."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("small")
    config = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(tiny_model / "tokenizer.json", folder / "tokenizer.json")
    return folder
