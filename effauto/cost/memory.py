"""Memory and disk in closed form, in bytes.

Training peaks in one of two phases: when the backward pass begins all activations are alive and no
gradient is; when the optimizer steps it is the other way round. So the peak is the larger of the
two, not their sum. What the process holds is more than its tensors: allocators keep freed blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

from effauto.cost.flops import served_tokens
from effauto.cost.ranges import Range, exact
from effauto.quantities import show
from effauto.work import replace
from effauto.workload import Workload

FLOAT = 4.0
SERVING_BATCH = 32.0

# With fewer activations than input gradients need, most are computed anew instead of kept, and so
# are dropout's masks.
FEWEST_UNITS = 9.0
# Widths a token: kept around the layers, by embedding and pooling, and alive while the backward
# pass begins; an inner layer with a gate has four gradients of its own width then.
AROUND_LAYERS, BEGINNING, GATED_BEGINNING = 3.0, 4.0, 4.0

# What the first pass brings in whatever the model's size: code, tokenizer, buffers.
TRAINING_PROCESS, SERVING_PROCESS = 65e6, Range(40e6, 48e6, 58e6)
LINEAR_PROCESS = Range(3e6, 6e6, 12e6)
# Resident memory over live tensors, on the host by glibc's malloc and the process left out; more
# stays in pieces where a backward pass over other tensors came first.
HOST_ALLOCATOR, AFTER_GRADIENTS = 1.25, 1.2
SERVING_ALLOCATOR, SERVING_ERROR = Range(1.2, 1.7, 2.2), Range(0.7, 1.0, 1.3)
# Weights are mapped from their file: of the embeddings only what the requests so far have read.
ROWS_READ = Range(0.0, 0.3, 1.0)
# Of 112 small trainings the 15th and the 95th per cent: a limit is to hold.
TRAINING_ERROR = Range(0.9, 1.0, 1.24)
CUDA_ALLOCATOR = Range(1.02, 1.1, 1.3)
# What PyTorch reserves on a GPU over the tensors of a training: docs/gpu.md, the 5th per cent, the
# median and the 95th.
CUDA_TRAINING = Range(1.1, 1.26, 1.49)
# A bag of words: a Python dict of n-grams over the same as JSON; and how far it is all off.
VOCABULARY_IN_MEMORY = 10.0
LINEAR_MEMORY = Range(0.5, 1.0, 2.0)
SPARSE_ENTRY_BYTES = 12.0


@dataclass(frozen=True)
class Tensors:
    """Bytes of live tensors in training, by what they are; not all are alive at once."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    updating: float

    @property
    def peak(self) -> float:
        """Gradients are born while activations die: the larger counts."""
        phase = max(self.activations, self.gradients + self.updating)
        return self.weights + self.optimizer + phase


def train_tensors(work: Workload) -> Tensors:
    """What a network's training keeps in tensors."""
    largest = max(work.embedding_parameters, work.width * work.feedforward)
    return Tensors(
        weights=FLOAT * (work.parameters + work.adapter_parameters),
        gradients=FLOAT * work.trainable_parameters,
        optimizer=work.optimizer_bytes * work.trainable_parameters,
        activations=_activations(work) + _features(work),
        updating=work.update_copies * FLOAT * min(work.trainable_parameters, largest),
    )


def train_bytes(work: Workload, device: str) -> Range:
    """The peak of the process while training, above its size when idle.

    Where a GPU computes, this is its memory.
    """
    if work.family == "linear":
        return LINEAR_MEMORY.scaled(_linear_bytes(work)) + LINEAR_PROCESS
    return resident(train_peak(as_kept(work, device)), work, device)


def as_kept(work: Workload, device: str) -> Workload:
    """The same work as a device keeps its tensors.

    A GPU keeps a byte for a number of dropout's masks where a CPU keeps a float, and its attention
    keeps no scores for the backward pass.
    """
    if device != "cuda":
        return work
    before = tuple(as_kept(other, device) for other in work.before)
    return replace(work, mask_units=work.mask_units / FLOAT, pair_numbers=0.0, before=before)


def train_peak(work: Workload) -> float:
    """The most bytes in tensors at once, in training or before it: the untouched model is read."""
    loaded = FLOAT * work.base.parameters if work.base else 0.0
    first = (train_peak(other) + other.beside_bytes for other in work.before)
    return max(loaded, train_tensors(work).peak, *first)


def resident(live: float, work: Workload, device: str) -> Range:
    """What a process holds that trains with so many bytes in tensors."""
    if device == "cuda":
        return CUDA_TRAINING.scaled(live)
    handed = FLOAT * work.parameters + work.export_bytes if work.export_bytes else 0.0
    held = max(_held(work) * live, handed)
    return TRAINING_ERROR.scaled(held + TRAINING_PROCESS + work.library_bytes)


def _held(work: Workload) -> float:
    """What the process holds for each byte of a tensor: never less than that byte."""
    parted = any(other.backward_passes for other in work.before)
    return max(1.0, HOST_ALLOCATOR * work.held * (AFTER_GRADIENTS if parted else 1.0))


def train_note(work: Workload, device: str) -> str:
    """The parts of the peak."""
    if work.family == "linear":
        return ""
    tensors = train_tensors(as_kept(work, device))
    parts = {
        "weights": tensors.weights,
        "optimizer": tensors.optimizer,
        "activations": tensors.activations,
        "or, later, gradients": tensors.gradients + tensors.updating,
    }
    told = ", ".join(f"{name} {show(size, 'byte')}" for name, size in parts.items())
    held = CUDA_TRAINING.value if device == "cuda" else _held(work)
    return f"{told}; the allocator holds {held:.2f} times as much"


def _activations(work: Workload) -> float:
    """Alive when the backward pass begins: all that it will need, and its first gradients."""
    batch = min(work.batch_size, work.examples)
    token_width = batch * work.longest_tokens * work.width * FLOAT
    if work.backward_passes == 0 or work.backward_depth == 0:
        return token_width * _passing(work)
    layers = work.layers * work.backward_depth * (work.activation_units + _dropped(work))
    around = AROUND_LAYERS - (1.0 if work.spared_flops else 0.0)
    around = around if work.backward_depth >= 1.0 else 0.0
    gated = GATED_BEGINNING * _inner(work) if work.inner_matrices == 3 else 0.0
    spared = min(work.spared_units, layers)
    return token_width * (layers - spared + around + BEGINNING + gated)


def _dropped(work: Workload) -> float:
    """Widths a token in each layer: masks of dropout, and scores of attention where kept."""
    kept = min(1.0, work.activation_units / FEWEST_UNITS)
    met = work.met(work.longest_tokens / max(1.0, work.inputs))
    scores = work.pair_numbers * met * work.heads / max(1.0, work.width)
    return kept * (work.mask_units + scores)


def _features(work: Workload) -> float:
    """A body that gets no gradient is run once and its outputs are kept."""
    return 0.0 if work.backward_passes else FLOAT * work.examples * work.width


def _passing(work: Workload) -> float:
    """Widths a token that are alive at once while nothing is kept for a backward pass."""
    gate = 1.0 + _inner(work) if work.inner_matrices == 3 else 0.0
    return 3.0 + 2.0 * _inner(work) + gate + work.layers * work.cached_widths


def _inner(work: Workload) -> float:
    """The inner layer's width in widths."""
    return work.feedforward / work.width if work.width else 0.0


def _linear_bytes(work: Workload) -> float:
    entries = work.examples * work.train_tokens * work.activation_units
    solver = (FLOAT + work.optimizer_bytes) * work.head_parameters
    return solver + SPARSE_ENTRY_BYTES * entries + VOCABULARY_IN_MEMORY * work.folder_bytes


def serve_bytes(work: Workload, device: str) -> Range:
    """The peak of a process that answers batches, above its size when idle.

    Where a GPU computes, this is its memory.
    """
    if work.family == "linear":
        weights = FLOAT * work.head_parameters + VOCABULARY_IN_MEMORY * work.folder_bytes
        return LINEAR_MEMORY.scaled(weights) + LINEAR_PROCESS
    layers = work.stored_layers * work.layer_parameters * work.layer_bits / 8.0
    read = layers + FLOAT * work.head_parameters
    tokens = SERVING_BATCH * max(served_tokens(work), work.longest_request)
    passing = tokens * work.width * FLOAT * _passing(work)
    return serving(read + embedding_bytes(work), passing, work, device)


def embedding_bytes(work: Workload) -> float:
    return work.embedding_parameters * work.embedding_bits / 8.0


def serving(weights: float, passing: float, work: Workload, device: str) -> Range:
    """What a process holds that answers, with so many bytes of weights and of what passes."""
    if device == "cuda":
        return CUDA_ALLOCATOR.scaled(weights + passing)
    tables = min(weights, embedding_bytes(work))
    mapped = exact(weights - tables) + ROWS_READ.scaled(tables)
    runtime = SERVING_ERROR.scaled(work.runtime_bytes)
    return mapped + SERVING_ALLOCATOR.scaled(passing) + SERVING_PROCESS + runtime


def layer_weight_bytes(work: Workload) -> float:
    """What one pass through the layers reads: zeros are stored in memory like other numbers."""
    return work.layers * work.layer_parameters * work.layer_bits / 8.0


def folder_bytes(work: Workload) -> Range:
    """The saved folder. Matrices with zeros are kept as a bit mask and the rest, if smaller."""
    bits = work.layer_bits
    packed = min(bits, work.density * bits + 1.0)
    layer = work.layer_matrices * packed + min(work.layer_vectors, work.layer_parameters) * bits
    weights = work.stored_layers * layer / 8.0
    weights += work.embedding_parameters * work.embedding_bits / 8.0
    weights += FLOAT * work.head_parameters
    if work.family == "linear":  # how many n-grams a text has is guessed
        return Range(0.4, 1.0, 1.8).scaled(weights + work.folder_bytes)
    beside = Range(0.9, 1.0, 1.1).scaled(work.folder_bytes)
    return Range(0.995, 1.0, 1.005).scaled(weights) + beside
