"""Dynamic int8 quantization of the layers, and of the word embeddings. README.md is the card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import Choice, Evidence, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, TaskModel


BITS = 8.0
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
        bits = work.table_bits_by_rows(BITS) if setting["embeddings"] else work.embedding_bits
        return replace(
            work.holding(COPIES_BYTES * table) if setting["embeddings"] else work,
            layer_bits=work.layer_bits_by_rows(BITS),
            embedding_bits=bits,
            runtime_bytes=work.runtime_bytes + work.layers * work.layer_parameters,
            compute="int8",
        )

    def compress(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .quantize import quantize

        return quantize(model, setting["embeddings"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .quantize import quantize, unfilled

        return quantize(model, setting["embeddings"], unfilled)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield Int8Dynamic()
