"""Floating-point operations in closed form: 2 for a multiply-add, matrix products only.

A layer multiplies every token with each number of its matrices, and every pair of tokens with each
other twice, over the width. Where lengths are known it agrees with torch's counter to a thousandth.
"""

from __future__ import annotations

from effauto.workload import PAD_TO, Workload


def layers_linear(work: Workload, tokens: float) -> float:
    """Operations of all layers' weights on ``tokens`` tokens."""
    return (2.0 * work.layer_matrices * work.layers + work.token_flops) * tokens


def layers_attention(work: Workload, length: float) -> float:
    """Operations of all layers' attention on one input of ``length`` tokens."""
    return 4.0 * work.attention_width * work.layers * length * work.met(length)


def train_linear(work: Workload) -> float:
    """Operations of one training on weights, forward and backward, heads left out."""
    crossed = work.backward_passes * work.backward_depth
    passes = work.passes + crossed * (1.0 + work.weight_gradients)
    added = 2.0 * work.adapter_parameters * (work.passes + 2.0 * crossed)
    spared = min(work.spared_flops * work.backward_passes, crossed * layers_linear(work, 1.0))
    a_token = passes * layers_linear(work, 1.0) + added - spared
    return work.examples * work.train_tokens * a_token


def train_attention(work: Workload) -> float:
    """Operations of one training on attention."""
    crossed = work.backward_passes * work.backward_depth
    passes = work.passes + work.attention_backward * crossed
    a_pair = layers_attention(work, 1.0)
    most = work.attention_backward * crossed * a_pair
    spared = min(work.spared_pair_flops * work.backward_passes, most)
    return work.examples * _pairs(work) * (passes * a_pair - spared)


def _pairs(work: Workload) -> float:
    """Pairs of tokens that meet in an example: those of the same input."""
    length = work.train_tokens / max(1.0, work.inputs)
    every = work.unevenness * work.train_tokens * length
    return min(every, work.train_tokens * work.reach) if work.reach else every


def train_head(work: Workload) -> float:
    """Operations of one training on the head, whose inputs get gradients if a layer does."""
    gradients = 1.0 + min(1.0, work.backward_depth)
    passes = work.forward_passes + work.backward_passes * gradients
    asked = work.asked if work.tagging else 1.0
    return work.examples * passes * asked * _head(work, work.train_tokens)


def train_scores(work: Workload) -> float:
    """Scores of classes for which one training takes the loss."""
    answers = work.asked * work.train_tokens if work.tagging else 1.0
    return work.examples * work.backward_passes * answers * work.classes


def _head(work: Workload, tokens: float) -> float:
    """Operations of the head on one example of ``tokens`` tokens."""
    features = tokens if work.tagging else 1.0
    return 2.0 * work.head_parameters * features * work.width / (work.width + 1.0)


def train_flops(work: Workload) -> float:
    """Operations of one training, and of what is done before it."""
    first = sum(map(train_flops, work.before)) + work.extra_train_flops
    if work.family == "linear":
        return first
    return train_linear(work) + train_attention(work) + train_head(work) + first


def served_tokens(work: Workload) -> float:
    """Tokens computed for a single request: its length, rounded up as batches are."""
    if work.request_padding:
        return work.request_tokens * work.request_padding
    return work.request_tokens + (PAD_TO - 1) / 2


def request_flops(work: Workload) -> float:
    """Operations of answering one request."""
    if work.family == "linear":  # only features that occur are multiplied
        return 2.0 * work.activation_units * work.request_tokens * work.width
    tokens = served_tokens(work)
    inputs = max(1.0, work.inputs)
    layers = layers_linear(work, tokens) + inputs * layers_attention(work, tokens / inputs)
    return work.request_depth * layers + _head(work, tokens)
