"""Active learning: buy labels in rounds, for the rows that a small model would learn most from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
    from effauto import Context, Examples

# Single-core seconds, measured on 384 features: for a feature of a row in a distance, plain and
# by products; and for a row times a weight in one of the 100 passes of the head's solver at most.
DISTANCE_SECONDS = {"core-set": 6e-10, "badge": 1e-10}
SOLVE_SECONDS, PASSES = 1e-10, 100
READ = "the abstract was found by a search and read; not measured here"
# What importing scikit-learn takes.
SOLVER_BYTES = 1e8


class ActiveLearning(Method):
    name = "active-learning"
    summary = "Label, and train on, only rows that a small model asks for, round by round."
    stage = "data"
    slot = "subset"
    requires = frozenset({"transformer", "pretrained"})
    knobs = {
        "strategy": Choice(("entropy", "margin", "core-set", "badge", "random"), default="margin"),
        "share": Float(0.05, 1.0, default=0.5),
        "rounds": Int(1, 10, default=5),
    }
    references = (
        "Settles 2009, Active Learning Literature Survey (uncertainty sampling), "
        "https://minds.wisconsin.edu/handle/1793/60660",
        "Sener and Savarese 2018, Active Learning for Convolutional Neural Networks: A Core-Set "
        "Approach, https://arxiv.org/abs/1708.00489",
        "Ash, Zhang, Krishnamurthy, Langford and Agarwal 2020, Deep Batch Active Learning by "
        "Diverse, Uncertain Gradient Lower Bounds, https://arxiv.org/abs/1906.03671",
    )
    evidence = (
        Evidence(
            claim="badge is as good as other strategies or better, whatever the batch size and "
            "network; no figure is given",
            source="Ash et al. 2020, abstract",
            setting="networks trained anew in each round, mostly images",
            checked=READ,
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind != "token-classification":
            return FITS
        return Verdict("asks for one class a row, and a tagged sentence has many")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """A pass over the whole pool and a head for each round, then the share that is bought."""
        rows = max(1.0, work.examples)
        bought = work.on_share(max(1.0, round(setting["share"] * rows)) / rows)
        choosing = _choosing(work, bought.examples, setting["strategy"], setting["rounds"])
        return replace(
            bought.after(work.embedded()),
            library_bytes=max(work.library_bytes, SOLVER_BYTES),
            host_seconds=bought.host_seconds + choosing,
        )

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from effauto import frozen_features

        from .rounds import bought

        return data.select(bought(frozen_features(data, context), data, setting, context.seed))


def _choosing(work: Workload, bought: float, strategy: str, rounds: int) -> float:
    """Single-core seconds of heads, fitted to half of the rows in the mean, and of distances."""
    measured = work.examples * bought * work.width * DISTANCE_SECONDS.get(strategy, 0.0)
    if strategy in ("core-set", "random"):
        return measured
    return measured + (rounds - 1) * PASSES * work.head_parameters * bought / 2 * SOLVE_SECONDS


@hookimpl
def register_methods() -> Iterator[Method]:
    yield ActiveLearning()
