"""Branches divided by the depth, so that settings hold for deeper models too (CompleteP)."""

from __future__ import annotations

import re

from torch import nn

from effauto.errors import TransferError

# What ends a residual branch in models that normalise before each branch.
_ENDS = re.compile(r"\.(self_attn|attn|mlp)\.(o_proj|down_proj|c_proj|out_proj)$|\.fc2$")
_NORMS_AFTER = {"bert", "roberta", "distilbert", "electra", "albert", "xlm-roberta", "mpnet"}


def scale_branches(model: nn.Module, depth: float) -> dict[str, float]:
    """The modules that end a branch, each with what its result is multiplied by: 1 / depth.

    Dey et al. 2025 (arXiv:2505.01618), with α = 1: of the powers of the depth the one that keeps
    every layer learning. Raises TransferError for a model that normalises after each branch, where
    no such rule is known.
    """
    kind = str(getattr(model.config, "model_type", ""))
    ends = [name for name, _ in model.named_modules() if _ENDS.search(name)]
    if kind in _NORMS_AFTER or not ends:
        raise TransferError(
            f"settings of a {kind} do not transfer to another depth: it normalises after each "
            "branch; keep the layers of the base, or take a model that normalises before"
        )
    return dict.fromkeys(ends, 1.0 / depth)
