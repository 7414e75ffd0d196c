"""Another optimizer in AdamW's place, which remembers less about each weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Float, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Numbers of the 8-bit moments that share a scale.
BLOCK = 256
# Copies of a matrix that a step makes, and how long it takes over one of AdamW, on one core of a
# Xeon with torch 2.13: benchmarks/optimizers.py.
STEPS = {"adafactor": (1.0, 6.0), "lion": (1.0, 3.4), "sgd": (0.0, 0.5), "adamw-8bit": (2.0, 32.0)}
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
        copies, slowness = STEPS[setting["kind"]]
        state = _state_bytes(setting["kind"], work.width)
        return replace(
            work,
            optimizer_bytes=min(work.optimizer_bytes, state),
            update_copies=copies,
            update_slowness=slowness,
        )

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
