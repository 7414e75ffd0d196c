"""Sequence-length warm-up: short texts first. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training


class SequenceLengthWarmup(Method):
    name = "sequence-length-warmup"
    summary = "Read only the beginning of each row at first, and ever more of it."
    stage = "pretrain"
    slot = "lengths"
    requires = frozenset({"transformer", "from_scratch", "gradient_training"})
    provides = frozenset({"cut_rows"})
    after = ("adaptation", "order", "padding")
    knobs = {
        "start": Float(0.05, 0.5, default=0.25),
        "pacing": Float(0.1, 1.0, default=0.5),
    }
    references = (
        "Li, Zhang and He 2022, The Stability-Efficiency Dilemma: Investigating Sequence Length "
        "Warmup for Training GPT Models, https://arxiv.org/abs/2108.06084",
    )
    evidence = (
        Evidence(
            claim="8 times larger batches and 4 times larger learning rates stay stable; up to 2.2 "
            "times fewer tokens and 3.7 times less time",
            source="Li et al. 2022, abstract",
            setting="GPT-2 of 117 million and 1.5 billion parameters",
            checked="the abstract was read; what is cut off is not read here, as there",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Rows are shorter on average; the longest batch is as long as ever."""
        mean, square = moments(setting["start"], setting["pacing"])
        return replace(
            work,
            train_tokens=work.train_tokens * mean,
            unevenness=work.unevenness * square / mean**2,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .lengths import beginning

        view = partial(beginning, start=setting["start"], pacing=setting["pacing"])
        return replace(training, view=view)


def share(progress: float, start: float, pacing: float) -> float:
    """How much of a row is read: it grows evenly, to all of it at the progress ``pacing``."""
    return min(1.0, start + (1.0 - start) * progress / pacing)


def moments(start: float, pacing: float) -> tuple[float, float]:
    """The mean of :func:`share` over a training, and that of its square."""
    mean = pacing * (start + 1.0) / 2.0 + 1.0 - pacing
    square = pacing * (start * start + start + 1.0) / 3.0 + 1.0 - pacing
    return mean, square


@hookimpl
def register_methods() -> Iterator[Method]:
    yield SequenceLengthWarmup()
