"""Random subset: train on, and label, a share of the rows. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from effauto import Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Examples


class RandomSubset(Method):
    name = "random-subset"
    summary = "Train on a random share of the rows, the same share of each class."
    stage = "data"
    slot = "subset"
    knobs = {"share": Float(0.05, 1.0, default=0.5)}
    references = (
        "Neyman 1934, On the two different aspects of the representative method (stratified "
        "sampling), https://doi.org/10.2307/2342192",
        "Kaplan et al. 2020, Scaling laws for neural language models (loss against data), "
        "https://arxiv.org/abs/2001.08361",
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        return work.on_share(work.by_class(setting["share"]))

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from .sample import stratified

        return data.select(stratified(data.labels, setting["share"], context.seed))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield RandomSubset()
