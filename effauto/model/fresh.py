"""A model to be trained from scratch: random numbers, in the maximal-update parametrisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from effauto.model.scratch import BASE
from effauto.model.transformer import TaskModel, without_pooler
from effauto.traits import TaskKind
from effauto.transfer import maximal_update, resized


def untrained(folder: Path, kind: TaskKind, classes: int, width: int | None = None) -> TaskModel:
    """Build what the config in ``folder`` describes; settings of its base size hold for it.

    Raises TransferError for a ``width`` that no whole number of its heads makes.
    """
    from transformers import AutoConfig

    config = resized(AutoConfig.from_pretrained(folder, local_files_only=True), width)

    def build(sized: Any) -> TaskModel:
        return _built(sized, kind, classes)

    model = build(config)
    nn.init.normal_(model.head.weight, std=config.initializer_range)
    nn.init.zeros_(model.head.bias)
    size = getattr(config, BASE)
    base = resized(config, size["width"], size["layers"])
    model.scaled = maximal_update(model, base, build=build)
    return model


def _built(config: Any, kind: TaskKind, classes: int) -> TaskModel:
    from transformers import AutoModel

    encoder = AutoModel.from_config(config, dtype=torch.float32)
    return TaskModel(without_pooler(encoder), kind, classes)
