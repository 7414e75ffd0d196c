"""A model with a classifier after inner layers, through which rows go only until one is sure."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from effauto import EffautoError, TaskModel

from . import exit_places
from .passage import Passage


class EarlyExitModel(TaskModel):
    """The given model and ``exits``, linear layers as its head is, after each ``every`` layers.

    A row leaves where the entropy of an exit's answer is below ``threshold`` of the highest, which
    is that of equal shares; none is below 0. Raises EffautoError for a model that computes
    otherwise than a TaskModel.
    """

    def __init__(self, model: TaskModel, every: int, threshold: float) -> None:
        if type(model) is not TaskModel:
            raise EffautoError(f"early-exit cannot look into a {type(model).__name__}")
        super().__init__(
            model.encoder, model.kind, model.classes, pooling=model.pooling, pairing=model.pairing
        )
        self.head, self.tokenizer = model.head, model.tokenizer
        self.surest = threshold * math.log(model.classes)
        self.places = exit_places(len(model.layers), every)
        self.exits = nn.ModuleList(nn.Linear(self.feature_width, self.classes) for _ in self.places)

    def read(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """Features of hidden states of any layer, (examples, feature_width)."""
        pooled = self._pool(states, attention_mask)
        if self.pairing != "separate":
            return pooled
        a, b = pooled.chunk(2)
        return torch.cat([a, b, (a - b).abs(), a * b], dim=-1)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        inputs: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        passage = Passage(len(input_ids), 2 if self.pairing == "separate" else 1)
        with passage.through(self.layers, self._exits(passage, attention_mask)):
            states = self.encoder(**inputs).last_hidden_state
            passage.answer(self.head(self.read(states, passage.of_those_left(attention_mask))))
        return passage.answers()

    def _exits(self, passage: Passage, mask: Tensor) -> dict[int, Any]:
        """By place of a layer: what tells, of its hidden states, the answers and who is sure."""

        def ask(exit: nn.Module) -> Any:
            def asked(states: Tensor) -> tuple[Tensor, Tensor]:
                logits = exit(self.read(states, passage.of_those_left(mask)).float())
                return logits, entropy(logits) < self.surest

            return asked

        return {place: ask(exit) for place, exit in zip(self.places, self.exits, strict=True)}


def entropy(logits: Tensor) -> Tensor:
    """Of each row's probabilities, in nats."""
    logarithms = logits.log_softmax(dim=-1)
    return -(logarithms.exp() * logarithms).sum(dim=-1)
