"""Magnitude pruning: zero the smallest weights after training. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel


class MagnitudePruning(Method):
    name = "magnitude-pruning"
    summary = "Zero the smallest weights after training: a smaller file, no faster model."
    stage = "compress"
    slot = "sparsity"
    before = ("precision",)
    requires = frozenset({"transformer", "float_weights", "dense_weights"})
    removes = frozenset({"dense_weights"})
    knobs = {
        "sparsity": Float(0.1, 0.9, default=0.5),
        "scope": Choice(("global", "matrix", "2:4"), default="global"),
    }
    references = (
        "Han, Pool, Tran and Dally 2015, Learning both weights and connections for efficient "
        "neural networks, https://arxiv.org/abs/1506.02626",
        "Gordon, Duh and Andrews 2020, Compressing BERT: studying the effects of weight pruning "
        "on transfer learning, https://arxiv.org/abs/2002.08307",
        "Mishra, Latorre, Pool, Stosic, Stosic, Venkatesh, Yu and Micikevicius 2021, Accelerating "
        "Sparse Deep Neural Networks, https://arxiv.org/abs/2104.08378",
        "Treviso et al. 2023, Efficient methods for natural language processing: a survey, "
        "https://arxiv.org/abs/2209.00099",
    )
    evidence = (
        Evidence(
            claim="about 40 % of the weights removed in pre-training without hurting later tasks",
            source="Treviso et al. 2023, section 6.1, on Gordon et al. 2020",
            setting="BERT",
            checked="read in the survey",
        ),
        Evidence(
            claim="existing hardware often cannot use the sparsity to save time",
            source="Treviso et al. 2023, section 6.1",
            setting="unstructured sparsity on dense hardware",
            checked="read in the survey",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Zeros are packed in the file; in memory and in products they are numbers like others."""
        zeros = 0.5 if setting["scope"] == "2:4" else setting["sparsity"]
        return replace(work, density=work.density * (1.0 - zeros))

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .prune import prune

        prune(model, setting["sparsity"], setting["scope"])
        return model


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MagnitudePruning()
