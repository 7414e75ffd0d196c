"""The account of one recipe: what it costs by phase, and as (E · D + what is done once) · H.

E is one example in one pass, D how many examples are passed, H how many full runs all tuning is
worth. A recipe that moves one factor may move another the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from effauto.cost import energy, flops, time
from effauto.cost.energy import Place
from effauto.cost.prices import Prices
from effauto.cost.ranges import exact
from effauto.machine import Hardware
from effauto.resources import Figures
from effauto.workload import Workload

PHASES = ("data", "design", "pretrain", "finetune", "compress", "tune", "infer")
TRAINING = PHASES[:5]
TRAINED = ("train.flops", "train.time", "train.energy")


@dataclass(frozen=True)
class Spent:
    """Operations, wall seconds, joules of the machine, and money (0 where no price is given)."""

    flops: float = 0.0
    seconds: float = 0.0
    joules: float = 0.0
    money: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.flops + other.flops,
            self.seconds + other.seconds,
            self.joules + other.joules,
            self.money + other.money,
        )

    def scaled(self, factor: float) -> Spent:
        return Spent(*(factor * value for value in asdict(self).values()))


NOTHING = Spent()


@dataclass(frozen=True)
class Account:
    """What one recipe costs: ``phases`` by name, of which ``infer`` is one request.

    ``example`` is E; ``examples`` is D in examples and ``token_passes`` in tokens, padding
    counted; ``runs`` is H. ``storage`` is the money for keeping the model a month.
    """

    name: str
    phases: Mapping[str, Spent]
    example: Spent
    examples: float
    token_passes: float
    runs: float
    storage: float = 0.0

    @property
    def training(self) -> Spent:
        """One full training, tuning left out."""
        return sum((self.phases[phase] for phase in TRAINING), NOTHING)

    @property
    def request(self) -> Spent:
        return self.phases["infer"]

    @property
    def total(self) -> Spent:
        """One full training and all tuning before it."""
        return self.training + self.phases["tune"]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Account:
        phases = {name: Spent(**data["phases"][name]) for name in PHASES}
        return cls(**{**data, "phases": phases, "example": Spent(**data["example"])})


@dataclass(frozen=True)
class Tariff:
    """What turns seconds of a machine into joules and money."""

    hardware: Hardware
    prices: Prices
    place: Place

    def spent(self, operations: float, seconds: float, joules: float | None = None) -> Spent:
        """With modelled ``joules`` unless they are given."""
        took = exact(seconds)
        used = energy.joules(took, self.hardware) if joules is None else exact(joules)
        money = self.prices.of(took, energy.kilowatt_hours(used, self.place), 0.0)
        return Spent(operations, seconds, used.value, money.value)


def account(
    name: str,
    untouched: Workload,
    steps: Iterable[tuple[str, Workload]],
    figures: Figures,
    tariff: Tariff,
    tune: Spent = NOTHING,
) -> Account:
    """The account of a recipe whose ``steps`` are (stage, work so far), foretold as ``figures``.

    What a step adds once, whatever the number of passes, is its stage's; the passes are
    finetune's. Labels are paid in data; requests are answered one at a time.
    """
    steps = [("finetune", untouched), *steps]
    work = steps[-1][1]
    shares = _shares(steps, tariff.hardware)
    whole = tariff.spent(*(figures[name].value for name in TRAINED))
    phases = {phase: _part(whole, *shares[phase]) for phase in TRAINING}
    phases["data"] += Spent(money=work.labels * tariff.prices.label)
    training = sum(phases.values(), NOTHING)
    passed = work.examples * max(1.0, work.forward_passes)
    request = tariff.spent(figures["inference.flops"].value, figures["inference.latency"].value)
    return Account(
        name,
        phases={**phases, "tune": tune, "infer": request},
        example=phases["finetune"].scaled(1.0 / max(1.0, passed)),
        examples=passed,
        token_passes=passed * work.train_tokens,
        runs=1.0 + tune.seconds / max(training.seconds, 1e-9),
        storage=tariff.prices.of_storage(exact(figures["model.size"].value)).value,
    )


def _shares(
    steps: Sequence[tuple[str, Workload]], hardware: Hardware
) -> dict[str, tuple[float, float]]:
    """The shares of operations and of seconds that each phase of training has."""
    shares = dict.fromkeys(TRAINING, (0.0, 0.0))
    whole = _raw(steps[-1][1], hardware)
    left = (1.0, 1.0)
    for (_, before), (stage, after) in pairwise(steps):
        if stage not in shares or stage == "finetune":
            continue
        once, already = (_raw(_without_passes(work), hardware) for work in (after, before))
        added = [
            max(0.0, a - b) / max(w, 1e-30) for a, b, w in zip(once, already, whole, strict=True)
        ]
        added = [min(a, rest) for a, rest in zip(added, left, strict=True)]
        left = (left[0] - added[0], left[1] - added[1])
        shares[stage] = (shares[stage][0] + added[0], shares[stage][1] + added[1])
    return shares | {"finetune": left}


def _raw(work: Workload, hardware: Hardware) -> tuple[float, float]:
    return flops.train_flops(work), time.train_seconds(work, hardware).value


def _without_passes(work: Workload) -> Workload:
    return replace(work, forward_passes=0.0, backward_passes=0.0)


def _part(whole: Spent, of_flops: float, of_seconds: float) -> Spent:
    return replace(whole.scaled(of_seconds), flops=whole.flops * of_flops)
