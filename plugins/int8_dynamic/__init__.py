"""Dynamic int8 quantization of the layers, and of the word embeddings. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel


# Where the rows of a layer are not known: beside eight bits a scale for each, and, in float32
# still, biases and norms; their share of a BERT's layer, times its width.
LAYER_REST = 50.0
FLOAT_BITS = 32.0
# A table is divided by its scales, and that is rounded: two copies of floats at a time.
COPIES_BYTES = 8.0


class Int8Dynamic(Method):
    name = "int8-dynamic"
    summary = "Weights of the layers in int8, activations quantized on the fly (CPU)."
    stage = "compress"
    slot = "precision"
    requires = frozenset({"transformer", "float_weights", "eager_module"})
    removes = frozenset({"float_weights", "eager_module"})
    needs = Needs(devices=("cpu",))
    knobs = {"embeddings": Choice((False, True), default=False)}
    references = (
        "Bhandare et al. 2019, Efficient 8-bit quantization of transformer neural machine "
        "language translation model, https://arxiv.org/abs/1906.00532",
        "Quinn and Ballesteros 2018, Pieces of eight: 8-bit neural machine translation, "
        "https://arxiv.org/abs/1804.05038",
        "Zafrir et al. 2019, Q8BERT: quantized 8bit BERT, https://arxiv.org/abs/1910.06188",
    )
    evidence = (
        Evidence(
            claim="1.5 times the throughput of the best float32 at under 0.5 BLEU of loss",
            source="Bhandare et al. 2019",
            setting="transformer translation, Cascade Lake with VNNI",
            checked="read in the abstract",
        ),
        Evidence(
            claim="decoding 4 to 6 times faster",
            source="Quinn and Ballesteros 2018",
            setting="recurrent translation on a CPU with SSE4",
            checked="read in the abstract",
        ),
        Evidence(
            claim="4 times smaller with minimal loss, embeddings included",
            source="Zafrir et al. 2019",
            setting="BERT, quantization-aware fine-tuning (this method trains nothing)",
            checked="read in the abstract",
        ),
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """While serving, the layers are there twice: as saved, and packed for the processor."""
        table = min(work.embedding_parameters, work.vocabulary * work.width)
        return replace(
            work.holding(COPIES_BYTES * table) if setting["embeddings"] else work,
            layer_bits=_layer_bits(work),
            embedding_bits=_table_bits(work) if setting["embeddings"] else work.embedding_bits,
            runtime_bytes=work.runtime_bytes + work.layers * work.layer_parameters,
            compute="int8",
        )

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .quantize import quantize

        return quantize(model, setting["embeddings"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .quantize import quantize, unfilled

        return quantize(model, setting["embeddings"], unfilled)


def _layer_bits(work: Workload) -> float:
    """Bits a number: a row has a scale and a bias, which is made where there was none."""
    if not work.layer_rows:
        return 8.0 + LAYER_REST / max(1.0, work.width)
    biases = 0.0 if work.layer_vectors >= work.layer_rows else work.layer_rows
    floats = work.layer_vectors + work.layer_rows + biases
    bits = 8.0 * work.layer_matrices + FLOAT_BITS * floats
    return bits / max(1.0, work.layer_parameters)


def _table_bits(work: Workload) -> float:
    """Bits a number: the table of words has a scale a row; positions and norms stay as they are."""
    words = min(work.vocabulary * work.width, work.embedding_parameters)
    floats = work.vocabulary + work.embedding_parameters - words
    return (8.0 * words + FLOAT_BITS * floats) / max(1.0, work.embedding_parameters)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Int8Dynamic()
