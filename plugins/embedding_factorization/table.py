"""A word table as a narrow table times a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from effauto import EffautoError

from . import rank_of

if TYPE_CHECKING:
    from effauto import TaskModel

# (weight of (rows, columns), rank) -> (rows, rank) and (columns, rank)
Factors = Callable[[Tensor, int], tuple[Tensor, Tensor]]


def factors(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The narrow table and the directions that its columns stand for, orthogonal.

    Their product is the best of that rank (Eckart and Young 1936). The directions are those in
    which the rows vary most, which are found from the columns' products: far fewer than the rows.
    """
    numbers = weight.double()
    directions = torch.linalg.eigh(numbers.T @ numbers).eigenvectors
    chosen = directions[:, -rank:].flip(1)
    return (numbers @ chosen).float(), chosen.float().contiguous()


def unfilled(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Places for the numbers of both, to be loaded."""
    rows, columns = weight.shape
    return torch.empty(rows, rank), torch.empty(columns, rank)


def factor(model: TaskModel, share: float, how: Factors) -> TaskModel:
    """Factor the word table in place; raise EffautoError if there is no plain one."""
    encoder: Any = model.encoder
    words = encoder.get_input_embeddings()
    if not isinstance(words, nn.Embedding):
        raise EffautoError(
            f"embedding-factorization needs a plain table of words, and {type(encoder).__name__} "
            f"reads them by a {type(words).__name__}; leave it out of the recipe"
        )
    table, directions = how(words.weight.detach(), rank_of(words.embedding_dim, share))
    columns, rank = directions.shape
    narrow = nn.Embedding(len(table), rank, padding_idx=words.padding_idx, _weight=table)
    back = nn.Linear(rank, columns, bias=False, device="meta")  # its numbers come at once
    back.weight = nn.Parameter(directions)
    encoder.set_input_embeddings(nn.Sequential(narrow, back))
    return model
