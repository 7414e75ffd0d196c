"""Another optimizer in AdamW's place, which remembers less about each weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Single-core seconds of unpacking and packing both moments of a number, in blocks of so many.
PACK_SECONDS, BLOCK = 2.5e-8, 256
CHECKED = "the abstract was found by a search and read; not measured here"


class Optimizer(Method):
    name = "optimizer"
    summary = "Train with Adafactor, Lion, SGD or 8-bit AdamW: less state than AdamW keeps."
    stage = "finetune"
    slot = "optimizer"
    requires = frozenset({"gradient_training"})
    after = ("adaptation",)  # which may do without gradient steps, and sets the learning rate
    before = ("objective",)  # a teacher that comes on top has an optimizer of its own
    knobs = {
        "kind": Choice(("adafactor", "lion", "sgd", "adamw-8bit"), default="adafactor"),
        "rate": Float(0.2, 5.0, default=1.0, log=True),
    }
    references = (
        "Shazeer and Stern 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, "
        "https://arxiv.org/abs/1804.04235",
        "Chen et al. 2023, Symbolic Discovery of Optimization Algorithms (Lion), "
        "https://arxiv.org/abs/2302.06675",
        "Dettmers, Lewis, Shleifer and Zettlemoyer 2022, 8-bit Optimizers via Block-wise "
        "Quantization, https://arxiv.org/abs/2110.02861",
    )
    evidence = (
        Evidence(
            claim="results comparable to Adam's with very little auxiliary storage",
            source="Shazeer and Stern 2018, abstract",
            setting="a Transformer trained from scratch on WMT 2014 English-German",
            checked=CHECKED,
        ),
        Evidence(
            claim="less memory than Adam, since only the momentum is kept",
            source="Chen et al. 2023, abstract",
            setting="Lion, any model; no figure is given",
            checked=CHECKED,
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        state = _state_bytes(setting["kind"], work.width)
        work = replace(work, optimizer_bytes=min(work.optimizer_bytes, state), update_copies=1.0)
        if setting["kind"] != "adamw-8bit":
            return work
        steps = work.backward_passes * work.examples / max(1.0, work.batch_size)
        packing = PACK_SECONDS * work.trainable_parameters * steps
        return replace(work, host_seconds=work.host_seconds + packing, update_copies=2.0)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .make import make

        chosen = partial(make, kind=setting["kind"], rate=setting["rate"])
        return replace(training, optimizer=chosen)


def _state_bytes(kind: str, width: float) -> float:
    """Bytes for each trained number; Adafactor's are a row's and a column's mean of a matrix."""
    if kind == "adafactor":
        return 2 * 4.0 / max(1.0, width)
    return {"lion": 4.0, "sgd": 0.0, "adamw-8bit": 2.0 + 2 * 4.0 / BLOCK}[kind]


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Optimizer()
