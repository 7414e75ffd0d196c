"""Sparse tuning: train only the weights about which the data tell most, by Fisher information."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import BASELINE, Evidence, Float, Int, Method, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Beside the optimizer's own: a float32 copy of each number of the body, and whether it is chosen.
COPY_BYTES = 5.0
# Operations a weight and token of an example's gradient: forward, to the inputs, to the weights.
GRADIENT_FLOPS = 6.0


class SparseTuning(Method):
    name = "sparse-tuning"
    summary = "Train the share of weights with the highest Fisher information."
    stage = "finetune"
    slot = "adaptation"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    knobs = {
        "share": Float(1e-3, 0.5, default=5e-3, log=True),
        "samples": Int(16, 1024, default=128, log=True),
        "epochs": Int(1, 6, default=BASELINE.epochs),
        "learning_rate": Float(3e-5, 1e-2, default=1e-3, log=True),
    }
    references = (
        "Sung, Nair and Raffel 2021, Training Neural Networks with Fixed Sparse Masks, "
        "https://arxiv.org/abs/2111.09839",
    )
    evidence = (
        Evidence(
            claim="as good as, or better than, other ways of sparse updates",
            source="Sung et al. 2021, abstract",
            setting="parameter-efficient transfer and distributed training; no figure is given",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Gradients and moments are made for all weights, and those of the others thrown away."""
        fisher = replace(work.felt(setting["samples"], 1.0), weight_gradients=1.0)
        return replace(
            work.after(fisher),
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            optimizer_bytes=work.optimizer_bytes + COPY_BYTES,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .fit import fit_sparsely

        fit = partial(
            fit_sparsely, fit=training.fit, share=setting["share"], samples=setting["samples"]
        )
        return replace(
            training, epochs=setting["epochs"], learning_rate=setting["learning_rate"], fit=fit
        )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield SparseTuning()
