"""kNN head: the most frequent class among the nearest training examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
    Float,
    Int,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# Single-core seconds: of a row times a square of features, for their covariance; of a number of
# the store for a request, read once at 10 GB/s.
GRAM_SECONDS = 4e-11
READ_SECONDS = 4e-10


class KnnHead(Method):
    name = "knn-head"
    summary = "Vote among the nearest training examples in the space of the network as it is."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"pretrained", "gradient_training"})
    forbids = frozenset({"ordered_examples"})
    removes = frozenset({"gradient_training"})
    knobs = {
        "k": Int(1, 50, default=10, log=True),
        "dims": Choice((32, 64, 128, 256), default=128),
        "share": Float(0.05, 1.0, default=1.0, log=True),
    }
    references = (
        "Cover and Hart 1967, Nearest neighbor pattern classification, "
        "https://doi.org/10.1109/TIT.1967.1053964",
        "Khandelwal et al. 2020, Generalization through Memorization: Nearest Neighbor Language "
        "Models, https://arxiv.org/abs/1911.00172",
        "He, Neubig and Berg-Kirkpatrick 2021, Efficient Nearest Neighbor Language Models, "
        "https://arxiv.org/abs/2109.04212",
    )
    evidence = (
        Evidence(
            claim="up to 6 times faster with a smaller store of fewer dimensions, comparable in "
            "perplexity",
            source="He et al. 2021",
            setting="nearest-neighbour language model on WikiText-103, an upper bound",
            checked="found by a search; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind == "token-classification":
            return Verdict("keeps an example each, and here every word of the data would be one")
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A pass over the examples; then every request reads the whole store."""
        dims = min(setting["dims"], max(1.0, work.width))
        store = work.examples * setting["share"] * (dims + 1)
        return replace(
            work.read_once(),
            host_seconds=work.host_seconds + work.examples * work.width**2 * GRAM_SECONDS,
            head_parameters=(work.width + 1) * dims + store,
            request_seconds=work.request_seconds + store * READ_SECONDS,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .fit import fit_neighbours

        return replace(training, fit=partial(fit_neighbours, **setting))

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .head import Neighbours

        model.head = Neighbours.of_shape(**model.config.neighbours)  # type: ignore[assignment]
        return model


@hookimpl
def register_methods() -> Iterator[Method]:
    yield KnnHead()
