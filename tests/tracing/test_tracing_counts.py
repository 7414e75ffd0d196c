"""What is counted without numbers is what real steps count."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from real_steps import taken

from effauto.cost.trace import Trace
from effauto.errors import IllegalRecipe, ModelError
from effauto.execution.tracing import trace
from effauto.execution.tracing.recorder import Recorder
from effauto.execution.training import adamw

REGIMES = {"full": (), "lora": ("lora",), "biases": ("bitfit",), "frozen": ("frozen",)}


def both(job, model, names, methods, tokens):
    asked = job(model, *names)
    found = trace(asked, methods, train_tokens=tokens, request_tokens=tokens)
    return SimpleNamespace(found=found, real=taken(asked, methods, tokens))


@pytest.mark.parametrize("names", REGIMES.values(), ids=REGIMES)
def test_a_step_counts_alike_with_and_without_numbers(job, tiny_model, methods, names):
    seen = both(job, tiny_model, names, methods, 24)
    assert seen.found.notes == ()
    assert seen.found.step.flops == seen.real.flops > 0
    assert seen.found.step.products == seen.real.products
    assert seen.found.step.peak_bytes == pytest.approx(seen.real.peak_bytes, rel=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("names", REGIMES.values(), ids=REGIMES)
def test_six_layers_of_width_384(job, small_model, methods, names):
    seen = both(job, small_model, (*names, "sixteen"), methods, 128)
    assert seen.found.batch_size == 16
    assert seen.found.step.flops == pytest.approx(seen.real.flops, rel=0.001)
    assert seen.found.step.peak_bytes == pytest.approx(seen.real.peak_bytes, rel=0.015)


@pytest.mark.parametrize(
    "kind", ["text-classification", "pair-classification", "token-classification"]
)
def test_every_kind_of_task(job, tiny_model, methods, kind):
    found = trace(job(tiny_model, kind=kind), methods, train_tokens=16, request_tokens=16)
    assert found.step.flops > found.batch.flops > found.request.flops > 0


def test_a_pair_read_separately_is_two_inputs(job, tiny_model, methods):
    asked = job(tiny_model, "bi-encoder", kind="pair-classification")
    found = trace(asked, methods, train_tokens=16, request_tokens=16)
    assert found.step.tokens == 2 * 32 * 16


def test_a_trace_survives_json(job, tiny_model, methods):
    found = trace(job(tiny_model, "lora"), methods, train_tokens=16, request_tokens=8)
    assert Trace.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_fewer_layers_and_shorter_rows_cost_less(job, tiny_model, methods):
    whole = trace(job(tiny_model), methods, train_tokens=32, request_tokens=32)
    shorter = trace(job(tiny_model), methods, train_tokens=16, request_tokens=16)
    halved = trace(job(tiny_model, "layer-drop"), methods, train_tokens=32, request_tokens=32)
    for other in (shorter, halved):
        assert other.step.flops < whole.step.flops
        assert other.step.peak_bytes < whole.step.peak_bytes
    assert halved.parameters < whole.parameters == shorter.parameters


def test_what_is_saved_is_half_in_half_precision(job, tiny_model, methods):
    whole = trace(job(tiny_model), methods, train_tokens=16, request_tokens=16)
    halved = trace(job(tiny_model, "bf16-weights"), methods, train_tokens=16, request_tokens=16)
    assert halved.saved_bytes == pytest.approx(whole.saved_bytes / 2, rel=0.02)
    assert {product.dtype for product in halved.request.products} >= {"bfloat16"}


@pytest.mark.parametrize("name", ["head-only", "int8-dynamic", "onnx-runtime"])
def test_a_method_that_cannot_be_followed_is_named_and_left_out(job, tiny_model, methods, name):
    found = trace(job(tiny_model, name), methods, train_tokens=16, request_tokens=16)
    assert found.skipped == {name}
    (note,) = found.notes
    assert note.startswith(f"{name}: its ")
    untouched = trace(job(tiny_model), methods, train_tokens=16, request_tokens=16)
    assert found.step == untouched.step


def test_nothing_of_a_trace_is_kept(job, tiny_model, methods, tmp_path):
    trace(job(tiny_model, "lora"), methods, train_tokens=16, request_tokens=16)
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]


def test_a_bag_of_words_and_an_illegal_recipe_are_refused(job, tiny_model, methods):
    with pytest.raises(ModelError, match="no network"):
        trace(job("bag-of-words"), methods, train_tokens=16, request_tokens=16)
    with pytest.raises(IllegalRecipe):
        trace(job(tiny_model, "lora", "bitfit"), methods, train_tokens=16, request_tokens=16)


def test_lists_of_sizes_are_no_lists_of_tensors():
    recorder = Recorder()
    with recorder.watching():
        ones = [torch.ones([3]), torch.zeros(2, 2)]
        torch.cat([one.flatten() for one in ones])
    assert recorder.counted(1).numbers == {"pointwise": 3 + 4, "copy": 7}


def test_a_fused_step_counts_each_weight_once():
    weights = [torch.ones(5, requires_grad=True), torch.ones(2, 3, requires_grad=True)]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    optimizer = adamw([{"params": weights}], 1e-3)
    optimizer.step()
    recorder = Recorder()
    with recorder.watching():
        optimizer.step()
    assert recorder.counted(1).numbers["optimizer"] == 11
