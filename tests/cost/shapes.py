"""Models, tasks and machines that cost tests share."""

from __future__ import annotations

from effauto.hardware import profile
from effauto.traits import ModelTraits, TaskTraits
from effauto.workload import Workload


def encoder(layers: int = 6, width: int = 384, vocabulary: int = 30522) -> ModelTraits:
    """A BERT without its pooler; widths are those of a feed-forward four times as wide."""
    inner = 4 * width
    layer = 4 * width * (width + 1) + 2 * width * inner + inner + 5 * width
    return ModelTraits(
        name="encoder",
        family="transformer",
        layers=layers,
        width=width,
        feedforward=inner,
        heads=12,
        vocabulary=vocabulary,
        max_tokens=512,
        embedding_parameters=(vocabulary + 512 + 2 + 2) * width,
        layer_parameters=layer,
        facts=frozenset(),
        layer_vectors=9 * width + inner,
        layer_rows=5 * width + inner,
    )


BAG = ModelTraits("bag-of-words", "linear", 0, 0, 0, 0, 0, 2**31, 0, 0, frozenset())
TASK = TaskTraits(
    kind="text-classification",
    metric="accuracy",
    examples=4000,
    classes=6,
    tokens_mean=20.0,
    tokens_p95=40.0,
    tokens_max=64.0,
)
WORK = Workload.untouched(TASK, encoder())
LINEAR = Workload.untouched(TASK, BAG)
LAPTOP = profile("laptop-2core")
T4 = profile("t4")
