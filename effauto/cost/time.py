"""Seconds: work divided by the rates of a machine, part by part."""

from __future__ import annotations

import math

from effauto.bag_of_words import LINEAR_FEATURE_SECONDS
from effauto.cost import flops
from effauto.cost.memory import FLOAT, SERVING_BATCH, layer_weight_bytes
from effauto.cost.ranges import NOTHING, Range, exact, larger, seconds
from effauto.machine import Hardware, Rate
from effauto.workload import TOKENISE_SECONDS, Workload

# Fitted to a six-layer encoder of width 384, run eagerly by transformers on one core.
LAYER_OPERATORS = 140.0  # calls of a small operator that take as long as a layer's overhead
CONVERTING = 2.0  # overhead of a layer that converts its numbers on the way in and out
PASS_OPERATORS = 150.0  # the same for embedding, masks and head
BACKWARD_OPERATORS = 1.2  # a backward pass over a forward pass
UPDATE_SLOWNESS = 2.0  # an optimizer's numbers lie in no cache, unlike those of the rate
GRADIENT_BYTES = 24.0  # a gradient's memory is taken anew, its norm is read, and it is clipped
ATTENTION_SLOWNESS = 1.5  # products of many small matrices against those of the rate
WEIGHT_STREAM = 0.3  # a product's reading of weights against a plain copy, where not measured
NORMED_WIDTHS = 4.0  # two layer norms and two sums a token, beside the activation
COLD_NUMBERS = 3.5  # numbers that come from memory, layouts changed, against those of the rate
# The same for Llamas of 64 to 256 in width, with 2,048 pieces and bfloat16 in matrix units.
SCORED_NUMBERS = 10.0  # exponentials, sums and slopes of a score against numbers of the rate
CAST_NUMBERS = 1.4  # numbers put into another format and back, against those of activations
# Single-core work is stated for a core that calls this many small operators a second.
REFERENCE_CALLS = 1.1e6
# How far the sum of parts is from what was measured; training also drops out, which is slow.
TRAIN_ERROR = Range(0.9, 1.1, 1.35)
SERVE_ERROR = Range(0.8, 1.0, 1.3)
LINEAR_ERROR = Range(0.4, 1.0, 2.2)
# A batch is padded to its longest request.
BATCH_PADDING = Range(1.0, 1.1, 1.5)


def train_seconds(work: Workload, hardware: Hardware) -> Range:
    """Wall time of one training, and of what is done before it."""
    host = on_one_core(work.host_seconds, hardware)
    if work.family == "linear":
        return LINEAR_ERROR * host
    first = sum((train_seconds(other, hardware) for other in work.before), host)
    computing = _train_products(work, hardware) + _train_memory_bound(work, hardware)
    return TRAIN_ERROR * _together(computing, _train_calls(work, hardware), hardware) + first


def _train_products(work: Workload, hardware: Hardware) -> Range:
    attention = ATTENTION_SLOWNESS * flops.train_attention(work)
    linear = seconds(flops.train_linear(work), hardware.rates[f"matmul.{work.train_compute}"])
    rest = flops.train_head(work) + attention + work.extra_train_flops
    return linear + seconds(rest, hardware.rates["matmul.float32"])


def _train_memory_bound(work: Workload, hardware: Hardware) -> Range:
    crossed = work.backward_passes * work.backward_depth
    tokens = work.examples * work.train_tokens
    numbers = tokens * (work.passes + 2.0 * crossed) * _numbers_a_token(work)
    if work.train_compute != "float32" and hardware.device != "cuda":
        numbers *= 1.0 + CAST_NUMBERS
    numbers += SCORED_NUMBERS * flops.train_scores(work)
    steps = _steps_a_pass(work)
    weight_passes = work.passes + crossed * (1.0 + work.weight_gradients)
    weights = FLOAT * work.layers * work.layer_parameters * weight_passes * steps
    updated = work.trainable_parameters * work.backward_passes * steps
    return (
        seconds(numbers, hardware.rates["elementwise"])
        + seconds(weights, _weights_rate(hardware))
        + seconds(GRADIENT_BYTES * updated, hardware.rates["memory"])
        + seconds(UPDATE_SLOWNESS * work.update_slowness * updated, hardware.rates["optimizer"])
    )


def _train_calls(work: Workload, hardware: Hardware) -> Range:
    crossed = work.backward_passes * work.backward_depth
    passes = work.passes + BACKWARD_OPERATORS * crossed
    calls = (PASS_OPERATORS + LAYER_OPERATORS * work.layers) * passes * _steps_a_pass(work)
    return seconds(calls, hardware.rates["dispatch"])


def _steps_a_pass(work: Workload) -> float:
    """The last batch, though smaller, is a step as well."""
    return math.ceil(max(1.0, work.examples) / max(1.0, work.batch_size))


def request_seconds(work: Workload, hardware: Hardware) -> Range:
    """Wall time of one request on its own, words to label."""
    around = on_one_core(work.request_seconds, hardware)
    if work.family == "linear":
        return Range(0.5, 1.0, 2.0) * around
    tokens = flops.served_tokens(work)
    return SERVE_ERROR * _forward(work, hardware, exact(tokens), tokens) + around


def requests_a_second(work: Workload, hardware: Hardware) -> Range:
    """Requests answered a second in batches of 32."""
    others = (SERVING_BATCH - 1.0) * _more_in_a_batch(work)
    around = on_one_core(work.request_seconds + others, hardware)
    if work.family == "linear":
        return (Range(0.5, 1.0, 2.0) * around).inverse().scaled(SERVING_BATCH)
    length = flops.served_tokens(work)
    tokens = BATCH_PADDING.scaled(SERVING_BATCH * length)
    batch = SERVE_ERROR * _forward(work, hardware, tokens, length) + around
    return batch.inverse().scaled(SERVING_BATCH)


def _more_in_a_batch(work: Workload) -> float:
    """Single-core seconds that each further request of a batch adds around the network."""
    if work.family == "linear":
        return LINEAR_FEATURE_SECONDS * work.activation_units * work.request_tokens
    return TOKENISE_SECONDS * work.request_tokens


def _forward(work: Workload, hardware: Hardware, tokens: Range, length: float) -> Range:
    """One pass over ``tokens`` tokens in inputs of ``length``; attention is always in float32."""
    rates = hardware.rates
    attention = ATTENTION_SLOWNESS * flops.layers_attention(work, length) / max(1.0, length)
    per_token = (
        seconds(flops.layers_linear(work, 1.0), rates[f"matmul.{work.compute}"])
        + seconds(attention, rates["matmul.float32"])
        + seconds(work.elementwise * _numbers_a_token(work), rates["elementwise"])
    )
    converting = 1.0 if work.compute == "float32" else CONVERTING
    calls = (PASS_OPERATORS + converting * LAYER_OPERATORS * work.layers) * work.dispatches
    computing = tokens * per_token + seconds(layer_weight_bytes(work), _weights_rate(hardware))
    whole = _together(computing, seconds(calls, rates["dispatch"]), hardware)
    return whole.scaled(work.request_depth)


def _weights_rate(hardware: Hardware) -> Rate:
    rates = hardware.rates
    return rates.get("weights") or rates["memory"].scaled(WEIGHT_STREAM)


def _numbers_a_token(work: Workload) -> float:
    """Numbers that activations, norms and sums of one forward pass touch, as if they were near."""
    return COLD_NUMBERS * work.layers * (work.feedforward + NORMED_WIDTHS * work.width)


def _together(computing: Range, calling: Range, hardware: Hardware) -> Range:
    """A GPU computes while the host calls the next operators; a CPU does one after the other."""
    return larger(computing, calling) if hardware.device == "cuda" else computing + calling


def on_one_core(reference_seconds: float, hardware: Hardware) -> Range:
    if reference_seconds == 0:
        return NOTHING
    rate = hardware.rates.get("host", hardware.rates["dispatch"])
    return seconds(reference_seconds * REFERENCE_CALLS, rate)
