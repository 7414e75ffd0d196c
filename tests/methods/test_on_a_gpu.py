"""Every recipe on a GPU that is pretended, so that numbers on the wrong device are seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from pretended_gpu import pretended_gpu
from tokenizers import Tokenizer
from topics import examples_of

from effauto.checks.tiny import tiny_text, tiny_traits
from effauto.composition import compose
from effauto.execution import device, meter, train
from effauto.execution.artefact import load_artefact
from effauto.execution.job import TRAIN, Job
from effauto.hardware import profile
from effauto.model import find_model
from effauto.model.scratch import Size, write_untrained
from effauto.plugins import load_plugins
from effauto.recipe import Recipe
from effauto.task.exchange import write_split
from effauto.task.vocabulary import pieces_of
from effauto.traits import PLAIN_TEXT, TaskTraits

METHODS = load_plugins().methods()
KINDS = ("text-classification", "pair-classification")
CLASSES = {"text-classification": ("a", "b", "c"), "pair-classification": ("a", "b")}
GPU = profile("h100")
ROWS = 24
QUIET = lambda what, share: None  # noqa: E731


@pytest.fixture
def gpu(monkeypatch):
    """Tells which tensors are on it; what would start CUDA itself does nothing."""
    monkeypatch.setattr(train, "start", lambda device, most: None)
    monkeypatch.setattr(meter, "opened", lambda name: device.Host())
    monkeypatch.setattr(torch.utils.checkpoint, "_infer_device_type", lambda *given: "cpu")
    with pretended_gpu() as there:
        yield there


def traits(kind):
    if kind in PLAIN_TEXT:
        return tiny_traits(kind)
    return TaskTraits(kind, "accuracy", 2400, len(CLASSES[kind]), 14, 30, 60)


def legal(name, source, untrained):
    """A recipe of the method, alone if that may be, and the model and kind of task it is for."""
    recipes = [Recipe.of(name), *(Recipe.of(name, other) for other in METHODS if other != name)]
    places = [*((source, kind) for kind in KINDS), *((untrained[k], k) for k in PLAIN_TEXT)]
    for recipe in recipes:
        for model, kind in places:
            if compose(recipe, METHODS, traits(kind), model.traits, GPU).legal:
                return recipe, model, kind
    return None


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """For each kind of text the model that learns it."""
    found = {}
    for kind in PLAIN_TEXT:
        folder = tmp_path_factory.mktemp(kind)
        write_untrained(folder, Size(64, 2), tiny_text(kind)[1], 64)
        found[kind] = find_model(str(folder))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if "cuda" in m.needs.devices])
def test_all_numbers_are_on_the_gpu(name, source, untrained, tmp_path, gpu):
    recipe, model, kind = legal(name, source, untrained)
    if kind in PLAIN_TEXT:
        examples, tokenizer = tiny_text(kind)
        classes = pieces_of(Tokenizer.from_str(tokenizer))
    else:
        examples, classes = examples_of(kind, ROWS), CLASSES[kind]
    write_split(examples, classes, tmp_path / "train.jsonl")
    job = Job(
        TRAIN, tmp_path, model.name, recipe, traits(kind), classes, GPU,
        tmp_path / "artefact", tmp_path / "cache", details={"share_training": True},
    )  # fmt: skip
    train.train(job, METHODS, QUIET)
    train.train(replace(job, folder=tmp_path / "continued"), METHODS, QUIET)
    there = load_artefact(job.folder, lambda: METHODS, 1, "cuda")
    here = load_artefact(job.folder, lambda: METHODS, 1, "cpu")
    assert all(map(gpu, there.runtime.model.state_dict().values()))
    assert there.predict_indices(examples.inputs) == here.predict_indices(examples.inputs)


def test_devices_do_not_mix(gpu):
    there, here = torch.ones(3, device="cuda"), torch.ones(3)
    assert gpu(there)
    assert gpu(there * 2 + torch.tensor(1.0))
    assert not gpu(there.cpu())
    assert gpu(here.to(there.device))
    with pytest.raises(RuntimeError, match="tensors on cuda:0 and cpu"):
        there + here
    with pytest.raises(TypeError, match="to numpy"):
        there.numpy()
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, device="cuda", generator=torch.Generator())
