"""Language models on a few words: what they read, what training them leaves, what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from saving import predictor_of, saved
from torch import Tensor

from effauto import Context, Method, TaskModel, Training, Workload, collate, encode_training
from effauto.cost.flops import request_flops
from effauto.workload import SCRATCH_BASELINE


def text_of(model: TaskModel, rows: int = 3, tokens: int = 96) -> dict[str, Tensor]:
    """Rows of different length, the first one full."""
    generator = torch.Generator().manual_seed(rows * tokens)
    numbers = torch.randint(2, model.config.vocab_size, (rows, tokens), generator=generator)
    shorter = 7 * torch.arange(rows)
    mask = (torch.arange(tokens) < (tokens - shorter)[:, None]).long()
    return {"input_ids": numbers, "attention_mask": mask}


def reads_only_what_came(model: TaskModel) -> None:
    """Another last token, or padding, changes no earlier result."""
    text = text_of(model)
    with torch.inference_mode():
        found = model(**text)
        other = text["input_ids"].clone()
        other[:, 60:] = 5
        assert torch.allclose(
            model(other, text["attention_mask"])[:, :60], found[:, :60], atol=1e-5
        )
        alone = model(text["input_ids"][2:, :82], torch.ones(1, 82, dtype=torch.long))
    assert torch.allclose(alone, found[2:, :82], atol=1e-5)


def learns(method: Method, setting: Mapping[str, Any], scratch: Context) -> tuple[float, TaskModel]:
    """Train as the method says; the loss relative to that of guessing, and the settled model."""
    model = method.build(scratch.untouched(), setting, scratch)
    training = method.train(Training.of(SCRATCH_BASELINE), setting, scratch)
    trained = training.fit(model, scratch.examples, training, scratch).settle()
    encoded = encode_training(trained, scratch.examples, training, scratch)
    batch = collate(range(len(encoded)), encoded, scratch.examples, training, scratch)
    with torch.inference_mode():
        loss = float(Training().loss(trained, batch))
    return loss / math.log(model.classes), trained


def survives_saving(
    method: Method, setting: Mapping[str, Any], model: TaskModel, context: Context, folder: Path
) -> TaskModel:
    """Save a settled model and load it again; it must answer alike."""
    loaded = saved(predictor_of(model, context), method, setting, folder)
    again = loaded.runtime.model  # type: ignore[attr-defined]
    text = text_of(model)
    with torch.inference_mode():
        assert torch.equal(again(**text), model(**text))
    return again  # type: ignore[no-any-return]


def parameters(model: TaskModel) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def counted_flops(model: TaskModel, tokens: int) -> float:
    """Operations of one row of so many tokens, as torch counts them."""
    from effauto.execution.meter import flop_counter

    with torch.no_grad(), flop_counter() as counter:
        model(**text_of(model, rows=1, tokens=tokens))
    return float(counter.get_total_flops())


def foretold_flops(work: Workload, tokens: int) -> float:
    """The same in closed form."""
    return request_flops(replace(work, request_tokens=tokens, request_padding=1.0))
