"""Tensors come back from disk as they were, those with many zeros in less room."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from effauto.errors import ModelError
from effauto.execution.weights import read_tensors, write_tensors

TYPES = (torch.float32, torch.bfloat16, torch.float16, torch.int8, torch.uint8, torch.bool)


def made(shape, dtype, zeros, seed):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(1, 100, shape, generator=generator).to(dtype)
    kept = torch.rand(shape, generator=generator) >= zeros
    return values * kept.to(dtype)


@given(
    st.lists(st.integers(0, 40), max_size=3).map(tuple),
    st.sampled_from(TYPES),
    st.floats(0, 1),
    st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_every_tensor_comes_back_as_it_was(tmp_path_factory, shape, dtype, zeros, seed):
    path = tmp_path_factory.mktemp("tensors") / "model.safetensors"
    state = {"a.weight": made(shape, dtype, zeros, seed), "b": torch.arange(3)}
    write_tensors(path, state)
    again = read_tensors(path)
    assert set(again) == set(state)
    for name, tensor in state.items():
        assert again[name].dtype == tensor.dtype
        assert again[name].shape == tensor.shape
        assert torch.equal(again[name], tensor)


def test_what_cannot_be_shown_as_a_number_survives(tmp_path):
    odd = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0] * 1000)
    write_tensors(tmp_path / "odd", {"odd": odd})
    assert torch.equal(read_tensors(tmp_path / "odd")["odd"].isnan(), odd.isnan())


def test_zeros_take_a_bit_each(tmp_path):
    sparse = made((256, 256), torch.float32, 0.9, 0)
    write_tensors(tmp_path / "sparse", {"w": sparse})
    write_tensors(tmp_path / "dense", {"w": made((256, 256), torch.float32, 0.0, 0)})
    values = int((sparse != 0).sum()) * 4 + sparse.numel() / 8
    assert values <= (tmp_path / "sparse").stat().st_size <= values + 400
    assert (tmp_path / "dense").stat().st_size <= 256 * 256 * 4 + 400


def test_tensors_that_share_memory_are_written_apart(tmp_path):
    weight = torch.ones(8, 8)
    write_tensors(tmp_path / "tied", {"a": weight, "b": weight, "part": weight[:2].t()})
    again = read_tensors(tmp_path / "tied")
    assert torch.equal(again["a"], again["b"])
    assert again["part"].shape == (8, 2)


@pytest.mark.parametrize("content", [b"", b"not tensors", None])
def test_a_file_that_is_not_whole_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    write_tensors(path, {"w": torch.ones(50, 50)})
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        read_tensors(path)
