"""Memory and disk in closed form, in bytes.

Training peaks in one of two phases: when the backward pass begins all activations are alive and no
gradient is; when the optimizer steps it is the other way round. So the peak is the larger of the
two, not their sum. What the process holds is more than its tensors: allocators keep freed blocks.
"""

from __future__ import annotations

from effauto.cost.flops import served_tokens
from effauto.cost.ranges import Range
from effauto.workload import BIAS_ACTIVATIONS, Workload

FLOAT = 4.0
SERVING_BATCH = 32.0

# Numbers that dropout keeps beside the activations, in widths a token: two masks in a layer, and
# the attention weights, once and masked, which are as many as tokens over the width of a head.
MASKS, WEIGHTS_A_TOKEN = 2.0, 2.0 / 48.0

# What the first pass brings in whatever the model's size: code, tokenizer, buffers.
TORCH_PROCESS = Range(15e6, 30e6, 70e6)
LINEAR_PROCESS = Range(3e6, 6e6, 12e6)
# Resident memory over live tensors: glibc's malloc in twelve trainings; CUDA's caching allocator.
HOST_ALLOCATOR = Range(1.19, 1.39, 1.67)
CUDA_ALLOCATOR = Range(1.02, 1.1, 1.3)
# Serving holds few blocks, but a loader may hold a second copy of the weights for a moment.
SERVING_ALLOCATOR = Range(0.9, 1.15, 1.8)
# A bag of words: a Python dict of n-grams over the same as JSON; and how far it is all off.
VOCABULARY_IN_MEMORY = 10.0
LINEAR_MEMORY = Range(0.5, 1.0, 2.0)
SPARSE_ENTRY_BYTES = 12.0


def train_bytes(work: Workload, device: str) -> Range:
    """The peak of the process while training, above its size when idle."""
    if work.family == "linear":
        return LINEAR_MEMORY.scaled(_linear_bytes(work)) + LINEAR_PROCESS
    kept = FLOAT * work.parameters + work.optimizer_bytes * work.trainable_parameters
    live = kept + max(_backward_begins(work), _optimizer_steps(work)) + _features(work)
    if device == "cuda":
        return CUDA_ALLOCATOR.scaled(live)
    return HOST_ALLOCATOR.scaled(live) + TORCH_PROCESS


def _backward_begins(work: Workload) -> float:
    token_width = work.batch_size * work.longest_tokens * work.width * FLOAT
    passing = token_width * (4.0 + _inner(work))  # one layer's inputs, outputs and inner numbers
    if work.backward_passes == 0 or work.backward_depth == 0:
        return passing
    layers = work.layers * work.backward_depth * (work.activation_units + _dropped(work))
    embedding = 1.0 + work.weight_gradients
    return token_width * (layers + embedding) + max(4.0 * token_width, passing)


def _dropped(work: Workload) -> float:
    """Less where most activations are computed anew instead of kept."""
    kept = min(1.0, work.activation_units / BIAS_ACTIVATIONS)
    return kept * (MASKS + WEIGHTS_A_TOKEN * work.longest_tokens)


def _optimizer_steps(work: Workload) -> float:
    largest = max(work.embedding_parameters, work.width * work.feedforward)
    temporary = 2.0 * min(work.trainable_parameters, largest)
    return FLOAT * (work.trainable_parameters + temporary)


def _features(work: Workload) -> float:
    """A body that gets no gradient is run once and its outputs are kept."""
    return 0.0 if work.backward_passes else FLOAT * work.examples * work.width


def _inner(work: Workload) -> float:
    return work.feedforward / work.width if work.width else 0.0


def _linear_bytes(work: Workload) -> float:
    entries = work.examples * work.train_tokens * work.activation_units
    solver = (FLOAT + work.optimizer_bytes) * work.head_parameters
    return solver + SPARSE_ENTRY_BYTES * entries + VOCABULARY_IN_MEMORY * work.folder_bytes


def serve_bytes(work: Workload) -> Range:
    """The peak of a process that answers batches, above its size when idle."""
    if work.family == "linear":
        weights = FLOAT * work.head_parameters + VOCABULARY_IN_MEMORY * work.folder_bytes
        return LINEAR_MEMORY.scaled(weights) + LINEAR_PROCESS
    layers = work.stored_layers * work.layer_parameters * work.layer_bits / 8.0
    embedding = work.embedding_parameters * work.embedding_bits / 8.0
    weights = layers + embedding + FLOAT * work.head_parameters
    tokens = SERVING_BATCH * served_tokens(work)
    passing = tokens * work.width * FLOAT * (4.0 + _inner(work))
    runtime = Range(0.7, 1.0, 1.3).scaled(work.runtime_bytes)
    return SERVING_ALLOCATOR.scaled(weights + passing) + runtime + TORCH_PROCESS


def layer_weight_bytes(work: Workload) -> float:
    """What one pass through the layers reads: zeros are stored in memory like other numbers."""
    return work.layers * work.layer_parameters * work.layer_bits / 8.0


def folder_bytes(work: Workload) -> Range:
    """The saved folder. Tensors with zeros are kept as a bit mask and the rest, if smaller."""
    packed = min(work.layer_bits, work.density * work.layer_bits + 1.0)
    layers = work.stored_layers * work.layer_parameters * packed / 8.0
    weights = layers + work.embedding_parameters * work.embedding_bits / 8.0
    weights += FLOAT * work.head_parameters
    if work.family == "linear":  # how many n-grams a text has is guessed
        return Range(0.4, 1.0, 1.8).scaled(weights + work.folder_bytes)
    return Range(0.99, 1.0, 1.02).scaled(weights) + Range(0.5, 1.0, 1.5).scaled(work.folder_bytes)
