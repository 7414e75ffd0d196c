"""The work a recipe makes a machine do, as numbers that methods transform.

A method's ``cost`` returns a changed copy (``dataclasses.replace``): it says what it does to the
work, never by how much it is faster. What the work costs is for ``effauto.cost`` to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from effauto.bag_of_words import HEAPS_POWER
from effauto.lengths import PAD_TO as PAD_TO
from effauto.lengths import Padded, in_pools, longest_of
from effauto.traits import FROM_SCRATCH, ModelTraits, TaskTraits
from effauto.work import Compute as Compute
from effauto.work import Work, replace


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
# Training from scratch, where no method says otherwise. The learning rate is that of a model of the
# base size (effauto.model.scratch), scaled for others: what benchmarks/mutransfer.py found to be
# best for one that is 64 wide.
SCRATCH_BASELINE = Baseline(
    epochs=4, learning_rate=2**-8, weight_decay=0.1, warmup=0.05, batch_size=16
)


def baseline_of(model: ModelTraits) -> Baseline:
    """What training does of this model, where no method says otherwise."""
    return SCRATCH_BASELINE if FROM_SCRATCH in model.facts else BASELINE


# Single-core seconds of tokenising and collating a word piece.
TOKENISE_SECONDS = 6e-6
# Forward passes that a backward pass through attention takes: where dropout makes it keep scores,
# and by a kernel that keeps none and makes them anew, which is a half.
KEEPING_BACKWARD, KERNEL_BACKWARD = 2.0, 2.5
# AdamW keeps two float32 moments for each trained number.
ADAMW_BYTES = 8.0


@dataclass(frozen=True)
class Workload(Work):
    """Work, and the ways in which methods change it; each returns a changed copy."""

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
        if share == 1:
            return self
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
