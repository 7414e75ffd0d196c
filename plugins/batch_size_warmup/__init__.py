"""Batch-size warm-up: small batches first. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# AdamW's operations for a number that it trains.
UPDATE_FLOPS = 12.0


class BatchSizeWarmup(Method):
    name = "batch-size-warmup"
    summary = "Begin with small batches, whose steps are cheap, and let them grow."
    stage = "pretrain"
    slot = "batch-growth"
    requires = frozenset({"transformer", "from_scratch", "gradient_training"})
    after = ("adaptation", "order", "padding")
    knobs = {
        "start": Choice((0.125, 0.25, 0.5), default=0.25),
        "pacing": Float(0.1, 1.0, default=0.5),
    }
    references = (
        "Smith, Kindermans, Ying and Le 2018, Don't Decay the Learning Rate, Increase the Batch "
        "Size, https://arxiv.org/abs/1711.00489",
        "McCandlish, Kaplan, Amodei et al. 2018, An Empirical Model of Large-Batch Training, "
        "https://arxiv.org/abs/1812.06162",
    )
    evidence = (
        Evidence(
            claim="the same accuracy after as many epochs, with far fewer updates than a decay",
            source="Smith et al. 2018, abstract",
            setting="ResNet-50 on ImageNet in under 30 minutes; batches of up to 65,536 images",
            checked="the abstract was read; here the first batches shrink, so updates are more",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """As many tokens are read; the further updates of the optimizer come on top."""
        rows = work.examples * work.backward_passes
        steps = rows / max(1.0, work.batch_size)
        added = steps * setting["pacing"] * (mean_inverse(setting["start"]) - 1.0)
        extra = added * UPDATE_FLOPS * work.trainable_parameters
        return replace(work, extra_train_flops=work.extra_train_flops + extra)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .growth import Growing

        growing = Growing(training, setting["start"], setting["pacing"])
        return replace(training, order=growing.order, group=growing.group)


def mean_inverse(start: float) -> float:
    """The mean of 1 / size while it grows evenly from ``start`` to 1: steps for one."""
    from math import log

    return -log(start) / (1.0 - start)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield BatchSizeWarmup()
