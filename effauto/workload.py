"""The work a recipe makes a machine do, as numbers that methods transform.

A method's ``cost`` returns a changed copy (``dataclasses.replace``): it says what it does to the
work, never by how much it is faster. What the work costs is for ``effauto.cost`` to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

from effauto.bag_of_words import HEAPS_POWER
from effauto.lengths import PAD_TO as PAD_TO
from effauto.traits import Family, ModelTraits, TaskTraits

Compute = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True)
class Baseline:
    """What training does where no method says otherwise: a plain full fine-tuning with AdamW."""

    epochs: int = 3
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    batch_size: int = 32
    max_tokens: int = 128


BASELINE = Baseline()

# Single-core seconds of tokenising and collating a word piece.
TOKENISE_SECONDS = 6e-6
# AdamW keeps two float32 moments for each trained number.
ADAMW_BYTES = 8.0


@dataclass(frozen=True)
class Workload:
    """Training, storing and serving one model on one task.

    Data: ``examples`` are read per pass, ``labels`` paid for; ``train_tokens`` are computed per
    training example and ``request_tokens`` per request, padding counted; in the longest batch of
    training an example has ``longest_tokens``. An example is read in ``inputs`` inputs.
    Where lengths were measured (else 0): padded on its own an example has ``even_tokens``, the
    longest ``spread_tokens`` more than the shortest, and ``tail_tokens`` less for each e-th part
    of the examples that is kept; a request of median length has ``request_padding`` times
    ``request_tokens``, the longest ``longest_request``. ``unevenness`` is the mean square of the
    lengths computed over their squared mean, ``own_unevenness`` that of examples padded alone.
    Network: ``layers`` are computed, of which ``stored_layers`` have weights of their own;
    ``layer_parameters`` counts one layer, ``feedforward`` its inner width, ``attention_width`` all
    ``heads`` together, ``key_width`` those of keys; ``full_layers`` is the depth that the untouched
    model has. ``token_flops`` are operations a token that stand outside the layers. Of a layer's
    parameters ``layer_vectors`` multiply nothing; its matrices have ``layer_rows`` outputs. A
    decoder's layer hands on ``cached_widths`` a token. ``tagging`` is 1 where the head reads every
    token, 0 where it reads their mean.
    Training, per example: ``forward_passes`` and ``backward_passes`` through the network;
    ``backward_depth`` is the share of layers that gradients cross and ``weight_gradients`` the
    share of those layers' weights for which a gradient is computed; ``train_compute`` is the
    arithmetic of the layers' products. For the backward pass a layer keeps ``activation_units``
    and dropout's ``mask_units`` (widths a token), and ``pair_numbers`` for a head and a pair of
    tokens; it takes ``attention_backward`` forward passes to cross the attention, and is spared
    ``spared_flops`` a token and ``spared_pair_flops`` a pair of tokens where nothing below the
    first layer is trained. ``adapter_parameters`` are trained in matrices beside the layers', to
    be merged. ``extra_train_flops`` (operations) and ``host_seconds`` (single core) come on top,
    once. ``held`` is what a process holds for its tensors, relative to the default allocator.
    Storage: bits a number, ``density`` the share of a layer's weights that is not zero.
    Serving: ``compute`` is the arithmetic of the layers, ``request_depth`` the share of the layers
    that an average request passes; ``dispatches`` are the operator calls of a layer, and
    ``elementwise`` the numbers that norms and activations touch, both relative to eager execution;
    ``request_seconds`` is the single-core time around the network, ``runtime_bytes`` what the
    runtime needs beside the weights.
    """

    family: Family
    examples: float
    labels: float
    batch_size: float
    train_tokens: float
    longest_tokens: float
    request_tokens: float

    layers: float
    stored_layers: float
    full_layers: float
    width: float
    attention_width: float
    feedforward: float
    layer_parameters: float
    embedding_parameters: float
    head_parameters: float
    token_flops: float

    forward_passes: float
    backward_passes: float
    backward_depth: float
    weight_gradients: float
    activation_units: float
    train_compute: Compute
    trainable_parameters: float
    optimizer_bytes: float
    extra_train_flops: float
    host_seconds: float

    layer_bits: float
    embedding_bits: float
    density: float
    folder_bytes: float

    compute: Compute
    request_depth: float
    dispatches: float
    elementwise: float
    request_seconds: float
    runtime_bytes: float

    even_tokens: float = 0.0
    spread_tokens: float = 0.0
    tail_tokens: float = 0.0
    unevenness: float = 1.0
    own_unevenness: float = 1.0
    request_padding: float = 0.0
    longest_request: float = 0.0
    inputs: float = 1.0
    vocabulary: float = 0.0
    heads: float = 0.0
    key_width: float = 0.0
    cached_widths: float = 0.0
    layer_vectors: float = 0.0
    layer_rows: float = 0.0
    tagging: float = 0.0
    mask_units: float = 0.0
    pair_numbers: float = 0.0
    adapter_parameters: float = 0.0
    attention_backward: float = 2.0
    spared_flops: float = 0.0
    spared_pair_flops: float = 0.0
    held: float = 1.0

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, and is {getattr(self, name)}")

    @property
    def parameters(self) -> float:
        return (
            self.stored_layers * self.layer_parameters
            + self.embedding_parameters
            + self.head_parameters
        )

    @property
    def layer_matrices(self) -> float:
        """Numbers of a layer that are multiplied with its inputs."""
        return max(0.0, self.layer_parameters - self.layer_vectors)

    @property
    def inner_matrices(self) -> int:
        """Matrices of the inner layer: two, or three with a gate."""
        attention = 2.0 * self.width * (self.attention_width + self.key_width)
        inner = max(1.0, self.width * self.feedforward)
        return 3 if self.layer_matrices - attention > 2.5 * inner else 2

    @property
    def full_activation_units(self) -> float:
        """What a layer keeps, in widths, if all of it is trained: around norms and products."""
        width = max(1.0, self.width)
        inner = self.feedforward / width
        around = 6.0 + 4.0 * inner if self.inner_matrices == 3 else 4.0 + 2.0 * inner
        return around + 2.0 * (self.attention_width + self.key_width) / width

    @property
    def projections(self) -> float:
        """Numbers of the matrices that make a layer's queries, keys and values."""
        return self.width * (self.attention_width + 2.0 * self.key_width)

    def grouped(self, batches: float) -> float:
        """Tokens computed for an example if so many batches are cut from rows sorted by length.

        A batch has the length of its longest row; that is on average half a batch's share of the
        spread above the length of a row.
        """
        even = self.even_tokens or min(self.train_tokens, self.request_tokens + PAD_TO / 2)
        spread = self.spread_tokens or self.train_tokens - even
        if batches <= 1:
            return self.train_tokens
        return min(self.train_tokens, even + spread / (2.0 * batches))

    def on_share(self, share: float) -> Workload:
        """The same work on a share of the training examples, and of their labels.

        A bag of words then knows fewer words; a network stays as large as it is, and rows padded
        to the longest are shorter, if it is among those that go.
        """
        words = share**HEAPS_POWER if self.family == "linear" else 1.0
        return replace(
            self,
            examples=self.examples * share,
            labels=self.labels * share,
            train_tokens=self._shorter(self.train_tokens, share),
            longest_tokens=self._shorter(self.longest_tokens, share),
            head_parameters=self.head_parameters * words,
            trainable_parameters=self.trainable_parameters * words,
            folder_bytes=self.folder_bytes * words,
            extra_train_flops=self.extra_train_flops * share,
            host_seconds=self.host_seconds * share,
        )

    def _shorter(self, tokens: float, share: float) -> float:
        if tokens < self.longest_tokens or not 0 < share < 1:
            return tokens
        return max(min(tokens, self.even_tokens), tokens + self.tail_tokens * math.log(share))

    @classmethod
    def untouched(cls, task: TaskTraits, model: ModelTraits) -> Workload:
        """The empty recipe: ``model`` fine-tuned on ``task`` with every default."""
        from effauto import untouched  # which makes what is defined here

        make = untouched.linear if model.family == "linear" else untouched.network
        return make(task, model)


_NUMBERS = tuple(
    f.name for f in fields(Workload) if f.name not in ("family", "compute", "train_compute")
)
