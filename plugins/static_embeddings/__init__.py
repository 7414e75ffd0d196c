"""Static embeddings: a vector for each word piece in the place of the whole network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Choice,
    Evidence,
    Float,
    Int,
    Method,
    ModelTraits,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, TaskModel, Training

# A piece is read between the marks that begin and end a text.
PIECE_TOKENS = 3.0
# Single-core seconds of the covariance, for a piece times a square of features.
GRAM_SECONDS = 4e-11
# Operator calls of looking up, pooling and answering, of those of a network's pass.
DISPATCHES = 0.15


class StaticEmbeddings(Method):
    name = "static-embeddings"
    summary = "Replace the network by one vector per word piece; train a head on the mean."
    stage = "design"
    slot = "body"
    requires = frozenset({"transformer", "pretrained", "gradient_training", "float_weights"})
    removes = frozenset({"transformer", "smaller_student"})
    after = ("depth", "pairing")
    knobs = {
        "dims": Choice((64, 128, 256), default=256),
        "tuned": Choice((False, True), default=True),
        "epochs": Int(1, 30, default=8, log=True),
        "learning_rate": Float(1e-3, 1e-1, default=1e-2, log=True),
    }
    references = (
        "Tulkens and van Dongen 2024, Model2Vec: Distill a Small Fast Model from any Sentence "
        "Transformer, https://github.com/MinishLab/model2vec",
        "Arora, Liang and Ma 2017, A Simple but Tough-to-Beat Baseline for Sentence Embeddings, "
        "https://openreview.net/forum?id=SyK00v5xx",
    )
    evidence = (
        Evidence(
            claim="up to 500 times faster on a CPU and up to 50 times smaller than the encoder",
            source="Model2Vec's documentation",
            setting="sentence encoders distilled to static vectors, upper bounds",
            checked="read as quoted by two articles found by a search; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        if task.kind == "token-classification":
            return Verdict("gives a word the same vector everywhere, whatever its neighbours are")
        return FITS

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """The network reads its vocabulary once; then there are no layers, to train or to serve."""
        width = max(1.0, work.width)
        dims = min(float(setting["dims"]), width)
        pieces = work.vocabulary or work.embedding_parameters / width
        table, head = pieces * dims, work.head_parameters * (dims + 1) / (width + 1)
        read = 2.0 * work.layer_matrices * work.layers * pieces * PIECE_TOKENS
        tuned = 1.0 if setting["tuned"] else 0.0
        return replace(
            work,
            width=dims,
            layers=0.0,
            stored_layers=0.0,
            attention_width=0.0,
            feedforward=0.0,
            layer_parameters=0.0,
            layer_vectors=0.0,
            layer_rows=0.0,
            heads=0.0,
            key_width=0.0,
            token_flops=0.0,
            activation_units=0.0,
            mask_units=0.0,
            pair_numbers=0.0,
            embedding_parameters=table,
            head_parameters=head,
            forward_passes=setting["epochs"],
            backward_passes=setting["epochs"],
            backward_depth=tuned,
            weight_gradients=tuned,
            trainable_parameters=head + tuned * table,
            extra_train_flops=work.extra_train_flops + read,
            host_seconds=work.host_seconds + pieces * width**2 * GRAM_SECONDS,
            dispatches=work.dispatches * DISPATCHES,
        )

    def build(self, model: TaskModel, setting: Setting, context: Context) -> TaskModel:
        from .distil import distil

        return distil(model, setting["dims"], setting["tuned"], context)

    def train(self, training: Training, setting: Setting, context: Context) -> Training:
        return replace(training, epochs=setting["epochs"], learning_rate=setting["learning_rate"])

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        from .table import WordTable

        model.encoder = WordTable(model.config)
        return model


@hookimpl
def register_methods() -> Iterator[Method]:
    yield StaticEmbeddings()
