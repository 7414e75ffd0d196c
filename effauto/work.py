"""What a recipe makes a machine do, as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from effauto.lengths import Lengths
from effauto.traits import Family

if TYPE_CHECKING:
    from dataclasses import replace as replace

    from effauto.workload import Workload
else:

    def replace(work, **changes):
        """As ``dataclasses.replace``, of a Work; that names all of its seventy fields each time,
        a third of what foretelling takes.
        """
        if unknown := changes.keys() - work.__dict__.keys():
            raise TypeError(f"work has no {', '.join(sorted(unknown))}")
        made = object.__new__(type(work))
        made.__dict__.update(work.__dict__, **changes)
        made.__post_init__()
        return made


Compute = Literal["float32", "bfloat16", "int8"]

FLOAT_BITS = 32.0
# What scales, biases and norms add to each number's bits, times the width, where the rows of a
# layer are not known: that of a BERT.
UNKNOWN_ROWS = 50.0


@dataclass(frozen=True)
class Work:
    """Training, storing and serving one model on one task.

    Data: ``examples`` are read per pass, ``labels`` paid for; ``train_tokens`` are computed per
    training example and ``request_tokens`` per request, padding counted; in the longest batch of
    training an example has ``longest_tokens``. An example is read in ``inputs`` inputs.
    Where they were measured, ``lengths`` are those of the inputs that training reads, and
    ``sides`` those of the longer text of each pair; a request of median length has
    ``request_padding`` times ``request_tokens``, the longest ``longest_request`` (else 0). Each
    input has ``prepended`` tokens more than that. ``unevenness`` is the mean square of the lengths
    computed over their squared mean.
    Network: ``layers`` are computed, of which ``stored_layers`` have weights of their own;
    ``layer_parameters`` counts one layer, ``feedforward`` its inner width, ``attention_width`` all
    ``heads`` together, ``key_width`` those of keys; ``full_layers`` is the depth that the untouched
    model has. ``token_flops`` are operations a token that stand outside the layers. Of a layer's
    parameters ``layer_vectors`` multiply nothing; its matrices have ``layer_rows`` outputs. A
    decoder's layer hands on ``cached_widths`` a token. ``tagging`` is 1 where the head reads every
    token, 0 where it reads their mean; ``asked`` is the share of these of which training asks an
    answer.
    Training, per example: ``forward_passes`` and ``backward_passes`` through the network;
    ``backward_depth`` is the share of layers that gradients cross and ``weight_gradients`` the
    share of those layers' weights for which a gradient is computed; ``train_compute`` is the
    arithmetic of the layers' products. For the backward pass a layer keeps ``activation_units``
    and dropout's ``mask_units`` (widths a token), and ``pair_numbers`` for a head and a pair of
    tokens; it takes ``attention_backward`` forward passes to cross the attention, and is spared
    ``spared_flops`` a token and ``spared_pair_flops`` a pair of tokens where nothing below the
    first layer is trained, and ``spared_units`` need not be kept then. The optimizer makes
    ``update_copies`` of a matrix at a time, and takes ``update_slowness`` times as long as AdamW.
    ``recomputed`` is the share of a forward pass that each backward pass does anew.
    ``adapter_parameters`` are trained in matrices beside the layers', to be merged.
    ``extra_train_flops`` (operations) and ``host_seconds`` (single core) come on top, once.
    ``held`` is what a process holds for its tensors, relative to the default allocator; handing
    the model to its runtime takes ``export_bytes`` beside the weights, and libraries that only some
    methods import take ``library_bytes``. A token meets at most ``reach`` others (0: all of its
    input).
    Storage: bits a number, ``density`` the share of a layer's weights that is not zero.
    Beforehand: ``base`` is the untouched model's work; the trainings and passes ``before`` this
    one are done first, each while other tensors hold its ``beside_bytes``.
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

    lengths: Lengths | None = None
    sides: Lengths | None = None
    prepended: float = 0.0
    unevenness: float = 1.0
    request_padding: float = 0.0
    longest_request: float = 0.0
    inputs: float = 1.0
    classes: float = 1.0
    vocabulary: float = 0.0
    heads: float = 0.0
    key_width: float = 0.0
    cached_widths: float = 0.0
    layer_vectors: float = 0.0
    layer_rows: float = 0.0
    tagging: float = 0.0
    asked: float = 1.0
    mask_units: float = 0.0
    pair_numbers: float = 0.0
    adapter_parameters: float = 0.0
    attention_backward: float = 2.0
    spared_flops: float = 0.0
    spared_pair_flops: float = 0.0
    spared_units: float = 0.0
    update_copies: float = 0.0
    update_slowness: float = 1.0
    recomputed: float = 0.0
    reach: float = 0.0
    held: float = 1.0
    export_bytes: float = 0.0
    library_bytes: float = 0.0
    base: Workload | None = field(default=None, repr=False)
    before: tuple[Workload, ...] = ()
    beside_bytes: float = 0.0

    def __post_init__(self) -> None:
        values = _numbers_of(self)
        if min(values) >= 0 and not math.isnan(sum(values)):
            return
        for name, value in zip(_NUMBERS, values, strict=True):
            if not value >= 0:
                raise ValueError(f"{name} must not be negative, and is {value}")

    def numbers(self) -> dict[str, float]:
        """Every field that is a number, by name."""
        return dict(zip(_NUMBERS, _numbers_of(self), strict=True))

    @property
    def parameters(self) -> float:
        return (
            self.stored_layers * self.layer_parameters
            + self.embedding_parameters
            + self.head_parameters
        )

    def met(self, length: float) -> float:
        """How many tokens each one of an input of this length meets."""
        return min(length, self.reach) if self.reach else length

    @property
    def passes(self) -> float:
        """Forward passes through the layers, those done anew for a backward pass included."""
        return self.forward_passes + self.recomputed * self.backward_passes * self.backward_depth

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
    def normed_first(self) -> bool:
        """Whether a layer normalises what it reads: decoders do, and encoders with gates."""
        return self.cached_widths > 0 or self.inner_matrices == 3

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

    def layer_bits_by_rows(self, bits: float) -> float:
        """Bits a number of a layer whose matrices have ``bits``, a float scale and bias a row.

        A bias is made where there was none.
        """
        if not self.layer_rows:
            return bits + UNKNOWN_ROWS / max(1.0, self.width)
        biases = 0.0 if self.layer_vectors >= self.layer_rows else self.layer_rows
        floats = self.layer_vectors + self.layer_rows + biases
        stored = bits * self.layer_matrices + FLOAT_BITS * floats
        return stored / max(1.0, self.layer_parameters)

    def table_bits_by_rows(self, bits: float) -> float:
        """The same of the tables: that of words has a scale a row; the others stay as they are."""
        words = min(self.vocabulary * self.width, self.embedding_parameters)
        floats = self.vocabulary + self.embedding_parameters - words
        return (bits * words + FLOAT_BITS * floats) / max(1.0, self.embedding_parameters)


_NUMBERS = tuple(found.name for found in fields(Work) if found.type == "float")
_numbers_of = attrgetter(*_NUMBERS)
