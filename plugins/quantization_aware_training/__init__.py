"""Quantization-aware training: train the layers as they will be served, in eight bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel

# Single-core seconds of rounding a number, measured on matrices and activations of a small model.
ROUNDING_SECONDS = 4e-9
# Of the inputs that queries, keys and values share each keeps its own rounded copy.
COPIES = 2.0
BITS, FLOAT_BYTES = 8.0, 4.0


class QuantizationAwareTraining(Method):
    name = "quantization-aware-training"
    summary = "Round weights and inputs to 8 bits while training; serve in int8 (CPU)."
    stage = "compress"
    slot = "precision"
    requires = frozenset({"transformer", "gradient_training", "float_weights", "eager_module"})
    forbids = frozenset({"merged_weights"})
    removes = frozenset({"float_weights", "eager_module"})
    needs = Needs(devices=("cpu",))
    knobs = {"embeddings": Choice((False, True), default=False)}
    references = (
        "Zafrir, Boudoukh, Izsak and Wasserblat 2019, Q8BERT: Quantized 8Bit BERT, "
        "https://arxiv.org/abs/1910.06188",
        "Jacob et al. 2018, Quantization and Training of Neural Networks for Efficient "
        "Integer-Arithmetic-Only Inference, https://arxiv.org/abs/1712.05877",
        "Bengio, Léonard and Courville 2013, Estimating or Propagating Gradients Through "
        "Stochastic Neurons for Conditional Computation, https://arxiv.org/abs/1308.3432",
    )
    evidence = (
        Evidence(
            claim="4 times smaller with minimal loss, embeddings included",
            source="Zafrir et al. 2019, https://arxiv.org/abs/1910.06188",
            setting="BERT",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Training keeps rounded copies; while serving, the layers are there twice, once packed."""
        weights = work.layers * work.layer_parameters
        copies = FLOAT_BYTES * weights / max(1.0, work.trainable_parameters)
        table = min(work.table_bits_by_rows(BITS), work.embedding_bits)
        return replace(
            work,
            host_seconds=work.host_seconds + ROUNDING_SECONDS * _rounded(work),
            activation_units=work.activation_units + COPIES * work.weight_gradients,
            optimizer_bytes=work.optimizer_bytes + copies,
            layer_bits=work.layer_bits_by_rows(BITS),
            embedding_bits=table if setting["embeddings"] else work.embedding_bits,
            runtime_bytes=work.runtime_bytes + weights,
            compute="int8",
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .layers import pretend

        return pretend(model, setting["embeddings"])

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .layers import convert

        return convert(model, setting["embeddings"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .layers import convert
        from .served import unfilled

        return convert(model, setting["embeddings"], unfilled)


def _rounded(work: Workload) -> float:
    """Numbers rounded in one training: the weights at each step, and the inputs of products."""
    steps = work.examples / max(1.0, work.batch_size)
    inputs = 4 * work.width + work.attention_width + work.feedforward
    numbers = steps * work.layer_parameters + work.examples * work.train_tokens * inputs
    return work.forward_passes * work.layers * numbers


@hookimpl
def register_methods() -> Iterator[Method]:
    yield QuantizationAwareTraining()
