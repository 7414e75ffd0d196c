"""What is foretold of the quality of models that are trained from scratch: more by more reading."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.knowledge.prior import Prior
from effauto.transfer.law import CHINCHILLA, read_anew
from effauto.workload import Workload

# Logits of compression for each factor e of the loss that the law foretells. The law was fitted to
# models a hundred times larger, so it serves to sort candidates, not to say how good they will be.
SLOPE = 0.5


@dataclass(frozen=True)
class ScratchPrior(Prior):
    """A prior whose gains know how large a model is, and how much it reads."""

    work: Callable[[Candidate], Workload]

    @classmethod
    def of(cls, prior: Prior, oracle: Oracle) -> ScratchPrior:
        known = {field.name: getattr(prior, field.name) for field in fields(Prior)}
        return cls(**known, work=oracle.work)

    @property
    def informed(self) -> bool:
        """Always: by the law, before anything was tried."""
        return True

    def gain(self, candidate: Candidate) -> float:
        """Logits by the law, and by what is known of the recipe's other methods."""
        return super().gain(candidate) - SLOPE * math.log(law_loss(self.work(candidate)))


def law_loss(work: Workload) -> float:
    """The loss of Hoffmann et al. 2022, text that is read again counting less and less."""
    return CHINCHILLA.loss(*reads(work))


def reads(work: Workload) -> tuple[float, float]:
    """The layers' parameters that each token meets, and the new tokens that its reading is worth.

    The law was fitted to dense models; what lies idle for a token does not count.
    """
    tokens = read_anew(work.examples * work.train_tokens, work.backward_passes)
    return max(1.0, work.layers * work.layer_matrices), max(1.0, tokens)
