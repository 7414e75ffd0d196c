"""Mixed precision: products of training in bfloat16, weights and their updates in float32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from effauto import Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Training

# Of the numbers that a layer keeps for the backward pass, what products read or give has half
# the bytes; what norms and sums read stays in float32, and so do dropout's masks.
KEPT = 0.55
COPY_BYTES = 2.0  # of each weight, for products
FLOAT_BYTES = 4.0


class MixedPrecision(Method):
    name = "mixed-precision"
    summary = "Compute training's matrix products in bfloat16 and keep weights in float32."
    stage = "finetune"
    slot = "training-precision"
    requires = frozenset({"gradient_training"})
    after = ("adaptation",)  # which may do without gradient steps
    before = ("objective",)  # a teacher that comes on top is trained in float32
    needs = Needs(instructions=("avx512_bf16",), compute_capability=(8, 0))
    references = (
        "Micikevicius et al. 2018, Mixed Precision Training, https://arxiv.org/abs/1710.03740",
        "Kalamkar et al. 2019, A study of bfloat16 for deep learning training, "
        "https://arxiv.org/abs/1905.12322",
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Copies of the weights are kept from the forward to the backward pass, as activations."""
        batch = FLOAT_BYTES * work.batch_size * work.longest_tokens * max(1.0, work.width)
        copies = COPY_BYTES * work.layer_parameters / batch if work.backward_passes else 0.0
        return replace(
            work,
            train_compute="bfloat16",
            activation_units=KEPT * work.activation_units + copies,
        )

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        from .autocast import fit_in_bfloat16

        return replace(training, fit=partial(fit_in_bfloat16, fit=training.fit))


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MixedPrecision()
