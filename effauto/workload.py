"""The work a recipe makes a machine do, as numbers that methods transform.

A method's ``cost`` returns a changed copy (``dataclasses.replace``): it says what it does to the
work, never by how much it is faster. What the work costs is for ``effauto.cost`` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from effauto.traits import Family, ModelTraits, TaskKind, TaskTraits

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

# AdamW keeps two float32 moments for each trained number.
ADAMW_BYTES = 8.0
# Word pieces are padded to a multiple of this.
PAD_TO = 8
# Numbers kept for the backward pass, in units of width, for a token in a layer: all of a block's
# inputs and outputs (8 + 2 · feedforward/width); only those that input gradients need are ten.
FULL_ACTIVATIONS = 16.0
BIAS_ACTIVATIONS = 10.0
# tokenizer.json, config and labels beside the weights.
FOLDER_BYTES = 0.75e6
# Single-core seconds: word-piece tokenising and collating a token; answering an empty request.
TOKENISE_SECONDS = 6e-6
REQUEST_SECONDS = 4e-4


@dataclass(frozen=True)
class Workload:
    """Training, storing and serving one model on one task.

    Data: ``examples`` are read per pass, ``labels`` paid for; ``train_tokens`` are computed per
    training example and ``request_tokens`` per request, padding counted; in the longest batch of
    training an example has ``longest_tokens``.
    Network: ``layers`` are computed, of which ``stored_layers`` have weights of their own;
    ``layer_parameters`` counts one layer, ``feedforward`` its inner width, ``attention_width`` all
    heads together; ``full_layers`` is the depth that the untouched model has. ``token_flops`` are
    operations a token that stand outside the layers.
    Training, per example: ``forward_passes`` and ``backward_passes`` through the network;
    ``backward_depth`` is the share of layers that gradients cross and ``weight_gradients`` the
    share of those layers' weights for which a gradient is computed; ``activation_units`` counts
    the numbers kept for the backward pass (units of width, a token, a layer); ``train_compute``
    is the arithmetic of the layers' products.
    ``extra_train_flops`` (operations) and ``host_seconds`` (single core) come on top, once.
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

    def on_share(self, share: float) -> Workload:
        """The same work on a share of the training examples, and of their labels.

        A bag of words then knows fewer words; a network stays as large as it is.
        """
        words = share**HEAPS_POWER if self.family == "linear" else 1.0
        return replace(
            self,
            examples=self.examples * share,
            labels=self.labels * share,
            head_parameters=self.head_parameters * words,
            trainable_parameters=self.trainable_parameters * words,
            folder_bytes=self.folder_bytes * words,
            extra_train_flops=self.extra_train_flops * share,
            host_seconds=self.host_seconds * share,
        )

    @classmethod
    def untouched(cls, task: TaskTraits, model: ModelTraits) -> Workload:
        """The empty recipe: ``model`` fine-tuned on ``task`` with every default."""
        if model.family == "linear":
            return _untouched_linear(task, model)
        padded = min(BASELINE.max_tokens, model.max_tokens, _round_up(task.tokens_max, PAD_TO))
        head = (model.width + 1) * task.classes
        passes = BASELINE.epochs
        return cls(
            family=model.family,
            examples=task.examples,
            labels=task.examples,
            batch_size=BASELINE.batch_size,
            train_tokens=padded,
            longest_tokens=padded,
            request_tokens=min(task.tokens_mean, model.max_tokens),
            layers=model.layers,
            stored_layers=model.layers,
            full_layers=model.layers,
            width=model.width,
            attention_width=model.width,
            feedforward=model.feedforward,
            layer_parameters=model.layer_parameters,
            embedding_parameters=model.embedding_parameters,
            head_parameters=head,
            token_flops=0.0,
            forward_passes=passes,
            backward_passes=passes,
            backward_depth=1.0,
            weight_gradients=1.0,
            activation_units=FULL_ACTIVATIONS,
            train_compute="float32",
            trainable_parameters=model.parameters + head,
            optimizer_bytes=ADAMW_BYTES,
            extra_train_flops=0.0,
            host_seconds=task.examples * task.tokens_mean * TOKENISE_SECONDS,
            layer_bits=32.0,
            embedding_bits=32.0,
            density=1.0,
            folder_bytes=FOLDER_BYTES,
            compute="float32",
            request_depth=1.0,
            dispatches=1.0,
            elementwise=1.0,
            request_seconds=REQUEST_SECONDS + task.tokens_mean * TOKENISE_SECONDS,
            runtime_bytes=0.0,
        )


_NUMBERS = tuple(
    f.name for f in fields(Workload) if f.name not in ("family", "compute", "train_compute")
)


@dataclass(frozen=True)
class _Bag:
    """How a linear model reads one kind of task; seconds are those of one core.

    A word piece gives ``per_token`` features; ``blocks`` of them stand side by side. The solver
    takes ``passes``, each so long for a feature that occurs and for a weight, times classes, and
    keeps ``solver_bytes`` a weight.
    """

    per_token: float
    blocks: float
    passes: float
    occurring_seconds: float
    weight_seconds: float
    solver_bytes: float
    request_seconds: float


# Fitted to this code on five sets of texts and one of tagged sentences: within a factor of two.
_BAGS: Mapping[TaskKind, _Bag] = {
    "text-classification": _Bag(1.5, 1.0, 60.0, 3e-9, 5e-8, 300.0, 2.6e-4),
    "pair-classification": _Bag(1.6, 2.0, 120.0, 3e-9, 5e-8, 300.0, 8.5e-4),
    "token-classification": _Bag(14.0, 1.0, 8.0, 1e-8, 0.0, 0.0, 1.8e-3),
}
# Single-core seconds: making a feature in training, twice read; and in answering.
LINEAR_TRAIN_FEATURE_SECONDS = 2e-6
LINEAR_FEATURE_SECONDS = 6e-7
# Distinct n-grams grow with about this power of the word pieces read (Heaps 1978); each is kept
# with its frequency. Tags are found from this many hashed features.
HEAPS_FACTOR, HEAPS_POWER = 3.7, 0.8
GRAM_BYTES = 17.5
HASHED_FEATURES = 2.0**17


def _untouched_linear(task: TaskTraits, model: ModelTraits) -> Workload:
    """Here ``activation_units`` is features a token, and ``width`` the weights of a feature."""
    bag = _BAGS[task.kind]
    read = task.examples * task.tokens_mean
    tags = task.kind == "token-classification"
    grams = 0.0 if tags else HEAPS_FACTOR * read**HEAPS_POWER
    features = HASHED_FEATURES if tags else bag.blocks * grams
    outputs = 1.0 if task.classes == 2 else float(task.classes)
    occurring = read * bag.per_token
    a_pass = occurring * bag.occurring_seconds + features * bag.weight_seconds
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
        width=outputs,
        attention_width=0.0,
        feedforward=0.0,
        layer_parameters=0.0,
        embedding_parameters=0.0,
        head_parameters=features * outputs,
        token_flops=0.0,
        forward_passes=1.0,
        backward_passes=0.0,
        backward_depth=0.0,
        weight_gradients=0.0,
        activation_units=bag.per_token,
        train_compute="float32",
        trainable_parameters=features * outputs,
        optimizer_bytes=bag.solver_bytes,
        extra_train_flops=2 * 2 * occurring * outputs * bag.passes,
        host_seconds=occurring * LINEAR_TRAIN_FEATURE_SECONDS + bag.passes * outputs * a_pass,
        layer_bits=32.0,
        embedding_bits=32.0,
        density=1.0,
        folder_bytes=grams * GRAM_BYTES,
        compute="float32",
        request_depth=1.0,
        dispatches=0.0,
        elementwise=0.0,
        request_seconds=bag.request_seconds
        + task.tokens_mean * bag.per_token * LINEAR_FEATURE_SECONDS,
        runtime_bytes=0.0,
    )


def _round_up(value: float, multiple: int) -> float:
    return float(-(-value // multiple) * multiple)
