"""From a transformer to a table: each word piece read on its own, turned, shortened, weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from effauto import Training, encode_training

from .table import WordTable, emptied

if TYPE_CHECKING:
    from effauto import Context, TaskModel

Array = NDArray[Any]

PIECES_A_BATCH = 512
# A piece that makes up this share of all text counts half as much as a rare one (Arora et al.
# 2017, section 3.1).
SMOOTHING = 1e-3


def distil(model: TaskModel, dims: int, tuned: bool, context: Context) -> TaskModel:
    """Put a table in the place of the model's body, and a new head beside it.

    The mean vectors of the training texts have a spread of 1. ``tuned`` leaves the table to be
    trained.
    """
    tokenizer = context.encoding(model).tokenizer
    vectors = read_alone(model.eval(), tokenizer, context).numpy()
    encoded = encode_training(model, context.examples, Training(), context)
    sides = [np.array(side) for row in encoded for side in row.sides]
    table = shortened(vectors, dims) * weights(sides, len(vectors))[:, None]
    table[marks(tokenizer)] = 0.0
    table /= np.stack([table[side].mean(axis=0) for side in sides]).std() + 1e-12
    model.encoder = WordTable(emptied(model.config, table.shape[1]))
    model.encoder.words.weight.data = torch.from_numpy(table.astype(np.float32))
    model.encoder.requires_grad_(tuned)
    model.pooling = "mean"
    model.head = nn.Linear(model.feature_width, model.classes)
    return model.to(context.device)


@torch.inference_mode()
def read_alone(model: TaskModel, tokenizer: Any, context: Context) -> Tensor:
    """What the body makes of each piece as if it were a text, (pieces, width)."""
    before, after = _frame(tokenizer)
    found = []
    pieces = int(model.config.vocab_size)
    for start in range(0, pieces, PIECES_A_BATCH):
        chosen = torch.arange(start, min(start + PIECES_A_BATCH, pieces), device=context.device)
        framed = [chosen.new_tensor(mark).expand(len(chosen), -1) for mark in (before, after)]
        numbers = torch.cat([framed[0], chosen[:, None], framed[1]], dim=1)
        with context.counting("vocabulary", numbers.numel()):
            states = model.encoder(input_ids=numbers, attention_mask=torch.ones_like(numbers))
        hidden = states.last_hidden_state
        pooled = hidden[:, -1] if model.pooling == "last" else hidden.mean(dim=1)
        found.append(pooled.float().cpu())
        context.report("reading the vocabulary", (start + len(chosen)) / pieces)
    return torch.cat(found)


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The marks that the tokenizer puts before and after a text."""
    tokenizer.no_padding()
    word = tokenizer.encode("a")
    inner = [place for place, mark in enumerate(word.special_tokens_mask) if not mark]
    return word.ids[: inner[0]], word.ids[inner[-1] + 1 :]


def marks(tokenizer: Any) -> list[int]:
    """Numbers of the tokens that stand for no word."""
    added = tokenizer.get_added_tokens_decoder()
    special = {number for number, token in added.items() if token.special}
    return sorted(special.union(*_frame(tokenizer)))


def shortened(vectors: Array, dims: int) -> Array:
    """The principal components of the vectors, centred; no more than there are features."""
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(centred.T @ centred)
    shorter: Array = centred @ directions[:, ::-1][:, :dims]
    return shorter


def weights(texts: list[Array], pieces: int) -> Array:
    """Smooth inverse frequencies of the pieces in these texts, each seen once more."""
    counts = np.bincount(np.concatenate(texts), minlength=pieces) + 1.0
    shares = counts / counts.sum()
    smoothed: Array = SMOOTHING / (SMOOTHING + shares)
    return smoothed
