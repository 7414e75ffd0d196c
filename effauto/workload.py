"""The work a recipe makes a machine do, as numbers that methods transform.

A method's ``cost`` returns a changed copy (``dataclasses.replace``): it says what it does to the
work, never by how much it is faster. What the work costs is for ``effauto.cost`` to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Literal

from effauto.bag_of_words import HEAPS_POWER
from effauto.lengths import PAD_TO as PAD_TO
from effauto.lengths import Lengths, Padded, in_pools, longest_of
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
# Forward passes that a backward pass through attention takes: where dropout makes it keep scores,
# and by a kernel that keeps none and makes them anew, which is a half.
KEEPING_BACKWARD, KERNEL_BACKWARD = 2.0, 2.5
# AdamW keeps two float32 moments for each trained number.
ADAMW_BYTES = 8.0


@dataclass(frozen=True)
class Workload:
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
    token, 0 where it reads their mean.
    Training, per example: ``forward_passes`` and ``backward_passes`` through the network;
    ``backward_depth`` is the share of layers that gradients cross and ``weight_gradients`` the
    share of those layers' weights for which a gradient is computed; ``train_compute`` is the
    arithmetic of the layers' products. For the backward pass a layer keeps ``activation_units``
    and dropout's ``mask_units`` (widths a token), and ``pair_numbers`` for a head and a pair of
    tokens; it takes ``attention_backward`` forward passes to cross the attention, and is spared
    ``spared_flops`` a token and ``spared_pair_flops`` a pair of tokens where nothing below the
    first layer is trained, and ``spared_units`` need not be kept then. The optimizer makes
    ``update_copies`` of a matrix at a time. ``recomputed`` is the share of a forward pass that each
    backward pass does anew. ``adapter_parameters`` are trained in matrices beside
    the layers', to be merged. ``extra_train_flops`` (operations) and ``host_seconds`` (single core)
    come on top, once. ``held`` is what a process holds for its tensors, relative to the default
    allocator; handing the model to its runtime takes ``export_bytes`` beside the weights, and
    libraries that only some methods import take ``library_bytes``.
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
    mask_units: float = 0.0
    pair_numbers: float = 0.0
    adapter_parameters: float = 0.0
    attention_backward: float = 2.0
    spared_flops: float = 0.0
    spared_pair_flops: float = 0.0
    spared_units: float = 0.0
    update_copies: float = 2.0
    recomputed: float = 0.0
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

    def by_length(self, pool: float = math.inf) -> Workload:
        """The same with batches of rows of like length, each padded to its own longest.

        So many rows are sorted together, and pools are drawn at random.
        """
        if self.lengths is None:
            return replace(self, train_tokens=self._guessed(min(pool, self.examples)))
        size = max(1.0, self.batch_size)
        pool = min(pool, self.examples)
        found = in_pools(self.lengths.counts, self.examples, pool, size, self._all_examples)
        return self._padded(found)

    def shuffled(self) -> Workload:
        """The same with random batches, each padded to its own longest row."""
        return self.by_length(self.batch_size)

    def _guessed(self, pool: float) -> float:
        """A batch's longest is on average half a batch's share of the spread above a row."""
        even = min(self.train_tokens, self.request_tokens + PAD_TO / 2)
        batches = pool / max(1.0, self.batch_size)
        if batches <= 1:
            return self.train_tokens
        return min(self.train_tokens, even + (self.train_tokens - even) / (2.0 * batches))

    def _padded(self, found: Padded) -> Workload:
        """The same, an input having so many tokens and what is prepended."""
        mean = found.mean + self.prepended
        square = found.square + self.prepended * (found.mean + mean)
        return replace(self, train_tokens=self.inputs * mean, unevenness=square / mean**2)

    def prepend(self, tokens: float) -> Workload:
        """The same with so many tokens more in each input, in training and in serving."""
        added = tokens * self.inputs
        return replace(
            self,
            train_tokens=self.train_tokens + added,
            longest_tokens=self.longest_tokens + added,
            longest_request=self.longest_request + added if self.longest_request else 0.0,
            request_tokens=self.request_tokens + added,
            request_padding=(self.request_padding * self.request_tokens + added)
            / max(1.0, self.request_tokens + added)
            if self.request_padding
            else 0.0,
            prepended=self.prepended + tokens,
        )

    def on_share(self, share: float) -> Workload:
        """The same work on a share of the training examples, and of their labels.

        A bag of words then knows fewer words; a network stays as large as it is, and rows padded
        to the longest are shorter, if it is among those that go.
        """
        words = share**HEAPS_POWER if self.family == "linear" else 1.0
        part = replace(
            self,
            examples=self.examples * share,
            labels=self.labels * share,
            head_parameters=self.head_parameters * words,
            trainable_parameters=self.trainable_parameters * words,
            folder_bytes=self.folder_bytes * words,
            extra_train_flops=self.extra_train_flops * share,
            host_seconds=self.host_seconds * share,
        )
        if self.lengths is None or self.train_tokens < self.longest_tokens or not 0 < share < 1:
            return part
        kept = max(1.0, part.examples)
        part = part._padded(longest_of(self.lengths.counts, kept, self._all_examples))
        return replace(part, longest_tokens=part.train_tokens)

    @property
    def _all_examples(self) -> float:
        return max(1.0, self.examples, self.base.examples if self.base else 0.0)

    def by_class(self, share: float) -> float:
        """What share of the rows stays if that of each class does, in whole rows, one at least."""
        rows = self.examples / max(1.0, self.classes)
        if rows <= 1:
            return share
        return max(1.0, round(share * rows)) / rows

    def loaded(self) -> Workload:
        """Training the untouched model on the same examples, whose labels are known."""
        base = self.base or self
        part = base.on_share(min(1.0, self.examples / max(1.0, base.examples)))
        return replace(part, labels=0.0, held=self.held, base=base)

    def apart(self) -> Workload:
        """The same with each text of a pair in an input of its own, beside the longer one."""
        if self.sides is None:
            return replace(self, inputs=2.0)
        longest = longest_of(self.sides.counts, self.examples, self._all_examples)
        part = replace(
            self,
            inputs=2.0,
            lengths=self.sides,
            longest_request=2.0 * self.sides.longest,
            request_tokens=2.0 * self.sides.mean,
            request_padding=self.sides.median / self.sides.mean,
        )._padded(longest)
        return replace(part, longest_tokens=part.train_tokens)

    def read_once(self) -> Workload:
        """A forward pass over the rows, those of like length together; nothing is trained."""
        return replace(
            self.by_length(),
            forward_passes=1.0,
            backward_passes=0.0,
            backward_depth=0.0,
            weight_gradients=0.0,
            activation_units=0.0,
            trainable_parameters=0.0,
            optimizer_bytes=0.0,
        )

    def embedded(self) -> Workload:
        """A pass of the untouched model over each text of the same examples on its own."""
        loaded = self.loaded()
        return (loaded.apart() if loaded.sides else loaded).read_once()

    def holding(self, beside: float) -> Workload:
        """The same, the model being changed first, for which tensors take so many bytes more."""
        change = replace(self.read_once(), examples=0.0, host_seconds=0.0, beside_bytes=beside)
        return self.after(change)

    def felt(self, rows: float, size: float, **spared: float) -> Workload:
        """A pass forward and one back over some rows, in random batches of ``size``.

        Nothing is dropped out, and no weight gets a gradient. Of the first layer ``spared_flops``
        and ``spared_pair_flops`` of a forward pass are crossed by none.
        """
        part = replace(
            self,
            examples=max(1.0, min(rows, self.examples)),
            batch_size=max(1.0, size),
            labels=0.0,
            forward_passes=1.0,
            backward_passes=1.0,
            backward_depth=1.0,
            weight_gradients=0.0,
            trainable_parameters=0.0,
            optimizer_bytes=0.0,
            extra_train_flops=0.0,
            host_seconds=0.0,
            mask_units=0.0,
            pair_numbers=0.0,
            recomputed=0.0,
            attention_backward=KERNEL_BACKWARD,
            spared_flops=spared.get("spared_flops", 0.0),
            spared_pair_flops=KERNEL_BACKWARD * spared.get("spared_pair_flops", 0.0),
        )
        return part.shuffled()

    def after(self, *others: Workload) -> Workload:
        """The same, these being done first; what is done before these is known already."""
        alone = (replace(other, before=()) for other in others)
        return replace(self, before=(*self.before, *alone))

    @classmethod
    def untouched(cls, task: TaskTraits, model: ModelTraits) -> Workload:
        """The empty recipe: ``model`` fine-tuned on ``task`` with every default."""
        from effauto import untouched  # which makes what is defined here

        make = untouched.linear if model.family == "linear" else untouched.network
        return make(task, model)


_NUMBERS = tuple(found.name for found in fields(Workload) if found.type == "float")
_numbers_of = attrgetter(*_NUMBERS)
