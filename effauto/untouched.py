"""The work of the empty recipe: a model trained on a task with every default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from effauto.bag_of_words import BagOfWords
from effauto.lengths import PAD_TO, Lengths
from effauto.traits import (
    HIDDEN,
    MASKED_LANGUAGE_MODELING,
    PLAIN_TEXT,
    ModelTraits,
    TaskTraits,
)
from effauto.workload import (
    ADAMW_BYTES,
    BASELINE,
    KEEPING_BACKWARD,
    KERNEL_BACKWARD,
    TOKENISE_SECONDS,
    Workload,
    baseline_of,
)

# tokenizer.json and the names of tensors, where a folder was not looked into; config and labels.
FOLDER_BYTES, CONFIG_BYTES = 0.75e6, 4e3
# Single-core seconds of answering an empty request.
REQUEST_SECONDS = 4e-4


def network(task: TaskTraits, model: ModelTraits) -> Workload:
    head = (model.width + 1) * task.classes
    baseline = baseline_of(model)
    passes = float(baseline.epochs)
    read = _read(task, model)
    dropped = model.attention_dropout > 0
    keys = model.key_width or model.width
    work = Workload(
        family=model.family,
        examples=task.examples,
        labels=0.0 if task.kind in PLAIN_TEXT else task.examples,
        batch_size=baseline.batch_size,
        **read,
        layers=model.layers,
        stored_layers=model.layers,
        full_layers=model.layers,
        width=model.width,
        attention_width=model.attention_width or model.width,
        feedforward=model.feedforward,
        layer_parameters=model.layer_parameters,
        embedding_parameters=model.embedding_parameters,
        head_parameters=head,
        token_flops=0.0,
        forward_passes=passes,
        backward_passes=passes,
        backward_depth=1.0,
        weight_gradients=1.0,
        activation_units=0.0,
        train_compute="float32",
        trainable_parameters=model.parameters + head,
        optimizer_bytes=ADAMW_BYTES,
        extra_train_flops=0.0,
        host_seconds=task.examples * task.tokens_mean * TOKENISE_SECONDS,
        layer_bits=32.0,
        embedding_bits=32.0,
        density=1.0,
        folder_bytes=(model.folder_bytes or FOLDER_BYTES) + CONFIG_BYTES,
        compute="float32",
        request_depth=1.0,
        dispatches=1.0,
        elementwise=1.0,
        request_seconds=REQUEST_SECONDS + task.tokens_mean * TOKENISE_SECONDS,
        runtime_bytes=0.0,
        classes=task.classes,
        vocabulary=model.vocabulary,
        heads=model.heads,
        key_width=keys,
        cached_widths=2.0 * keys / model.width if "decoder" in model.facts else 0.0,
        layer_vectors=model.layer_vectors,
        layer_rows=model.layer_rows,
        tagging=1.0 if task.kind in ("token-classification", *PLAIN_TEXT) else 0.0,
        asked=HIDDEN if task.kind == MASKED_LANGUAGE_MODELING else 1.0,
        mask_units=float(model.dropouts) if model.dropout else 0.0,
        pair_numbers=3.0 if dropped else 0.0,  # scores, mask and product
        attention_backward=KEEPING_BACKWARD if dropped else KERNEL_BACKWARD,
    )
    work = replace(work, activation_units=work.full_activation_units)
    return replace(work, base=work)


def _read(task: TaskTraits, model: ModelTraits) -> dict[str, Any]:
    """The fields that lengths decide."""
    most = min(BASELINE.max_tokens, model.max_tokens)
    mean = min(task.tokens_mean, model.max_tokens)
    if not task.length_counts:
        padded = min(most, -(-task.tokens_max // PAD_TO) * PAD_TO)
        return {"train_tokens": padded, "longest_tokens": padded, "request_tokens": mean}
    trained = Lengths(task.length_counts).cut(most)
    asked = Lengths(task.length_counts).cut(model.max_tokens)
    return {
        "train_tokens": trained.longest,
        "longest_tokens": trained.longest,
        "request_tokens": mean,
        "lengths": trained,
        "sides": Lengths(task.side_counts).cut(most) if task.side_counts else None,
        "request_padding": asked.median / mean,
        "longest_request": asked.longest,
    }


def linear(task: TaskTraits, model: ModelTraits) -> Workload:
    """Here ``activation_units`` is features a token, and ``width`` the weights of a feature."""
    bag = BagOfWords.of(task)
    weights = bag.features * bag.outputs
    return Workload(
        family="linear",
        examples=task.examples,
        labels=task.examples,
        batch_size=1.0,
        train_tokens=task.tokens_mean,
        longest_tokens=task.tokens_mean,
        request_tokens=task.tokens_mean,
        layers=0.0,
        stored_layers=0.0,
        full_layers=0.0,
        width=bag.outputs,
        attention_width=0.0,
        feedforward=0.0,
        layer_parameters=0.0,
        embedding_parameters=0.0,
        head_parameters=weights,
        token_flops=0.0,
        forward_passes=1.0,
        backward_passes=0.0,
        backward_depth=0.0,
        weight_gradients=0.0,
        activation_units=bag.features_a_token,
        train_compute="float32",
        trainable_parameters=weights,
        optimizer_bytes=bag.solver_bytes,
        extra_train_flops=bag.operations,
        host_seconds=bag.train_seconds,
        layer_bits=32.0,
        embedding_bits=32.0,
        density=1.0,
        folder_bytes=bag.vocabulary_bytes,
        compute="float32",
        request_depth=1.0,
        dispatches=0.0,
        elementwise=0.0,
        request_seconds=bag.request_seconds,
        runtime_bytes=0.0,
        classes=task.classes,
    )
