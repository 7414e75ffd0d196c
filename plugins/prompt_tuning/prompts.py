"""Learnt vectors before the words of every input, which nothing outside the body gets to see."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import Context, TaskModel


def words(model: TaskModel, length: int, seed: int) -> Tensor:
    """The embeddings of ``length`` random word pieces, where prompts start from."""
    body: Any = model.encoder
    chance = torch.Generator().manual_seed(seed)
    numbers = torch.randint(int(model.config.vocab_size), (length,), generator=chance)
    table = body.get_input_embeddings()
    place = next(model.parameters()).device
    return torch.as_tensor(table(numbers.to(place)).detach().clone())


def leave_room(model: TaskModel, length: int, context: Context) -> None:
    """Read fewer word pieces, where the prompts need the places of the last ones."""
    places = model.room(length)
    if places < 1:
        raise EffautoError(f"prompt-tuning cannot put {length} vectors before a word: no place")
    if places < context.model.max_tokens:
        traits = replace(context.model, max_tokens=places)
        context.source = replace(context.source, traits=traits)


def add_prompts(model: TaskModel, vectors: Tensor) -> TaskModel:
    """Make ``vectors``, (length, width), a parameter of the body that each input is led by.

    Raises EffautoError if the body takes no vectors in the place of words.
    """
    body = model.encoder
    if "inputs_embeds" not in signature(body.forward).parameters:
        raise EffautoError(
            f"prompt-tuning cannot lead the words of {type(body).__name__}: it takes no "
            "inputs_embeds; adapt it by a method that changes its layers"
        )
    body.register_parameter("prompts", nn.Parameter(vectors))
    body.register_forward_pre_hook(_lead, with_kwargs=True)
    body.register_forward_hook(_leave_out)
    return model


def _lead(body: Any, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Prompts before the words; they are attended to, and belong to the first text."""
    embedded = body.get_input_embeddings()(given["input_ids"])
    prompts = body.prompts.expand(len(embedded), -1, -1).to(embedded.dtype)
    led = {"inputs_embeds": torch.cat([prompts, embedded], dim=1)}
    for name, value in (("attention_mask", 1), ("token_type_ids", 0)):
        if given.get(name) is not None:
            numbers = given[name]
            before = numbers.new_full((len(embedded), prompts.shape[1]), value)
            led[name] = torch.cat([before, numbers], dim=1)
    others = {name: value for name, value in given.items() if name not in (*led, "input_ids")}
    return args, led | others


def _leave_out(body: Any, args: tuple[Any, ...], output: Any) -> Any:
    """The states of the words alone: prompts are neither pooled nor tagged."""
    output.last_hidden_state = output.last_hidden_state[:, len(body.prompts) :]
    return output
