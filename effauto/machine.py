"""A machine: what it has, and how fast it was found, or is said, to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

# For the environment of processes that compute. OpenMP's threads spin while they wait for each
# other, which makes a training step several times slower where other work wants the same cores.
PATIENT_THREADS = {"OMP_WAIT_POLICY": "PASSIVE"}
# Rates of one thread, however many there are.
ONE_THREAD = ("dispatch", "host")


@dataclass(frozen=True)
class Rate:
    """Something per second, with the range in which it may lie."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"a rate needs 0 < low <= value <= high, not {self}")

    def scaled(self, factor: float) -> Rate:
        return Rate(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Accelerator:
    """A GPU; ``capability`` is CUDA's, such as (8, 0)."""

    name: str
    memory_bytes: int
    capability: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Hardware:
    """One machine, as plans see it.

    ``rates`` has ``matmul.float32``, ``matmul.bfloat16``, ``matmul.int8`` (operations/s, all
    ``threads`` together), ``memory`` (byte/s), ``elementwise`` (numbers/s), ``optimizer``
    (parameters/s) and ``dispatch`` (operator calls/s); where a GPU computes, ``host`` has those of
    a CPU core. ``weights`` (byte/s), what products of few tokens read, is a share of ``memory``
    where it is absent. ``watts`` is the power of the share of the machine that the work uses; it
    is a model unless ``power_counter`` names a sensor.
    """

    name: str
    origin: Literal["detected", "profile"]
    processor: str
    cores: int
    threads: int
    flags: frozenset[str]
    memory_bytes: int
    rates: Mapping[str, Rate]
    watts: Rate
    calibrated: bool = False
    accelerators: tuple[Accelerator, ...] = ()
    power_counter: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def device(self) -> str:
        return "cuda" if self.accelerators else "cpu"

    def shared(self, workers: int) -> Hardware:
        """One of so many equal parts, each with cores of its own, or a GPU where these compute.

        Raises ValueError if there are fewer of them than workers.
        """
        if workers == 1:
            return self
        places = len(self.accelerators) or self.cores
        if workers > places:
            raise ValueError(f"{places} {'GPU' if self.accelerators else 'core'}(s)")
        cores = max(1, self.cores // workers)
        threads = min(cores, self.threads)
        pace = 1.0 if self.accelerators else threads / self.threads
        return replace(
            self,
            name=f"{self.name}, 1 of {workers} parts",
            cores=cores,
            threads=threads,
            memory_bytes=self.memory_bytes // workers,
            rates={
                name: rate if name in ONE_THREAD else rate.scaled(pace)
                for name, rate in self.rates.items()
            },
            watts=self.watts.scaled(1.0 / workers),
            accelerators=self.accelerators[:1],
            power_counter=self.power_counter if self.accelerators else None,
        )

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["flags"] = sorted(self.flags)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hardware:
        known = {key: data[key] for key in cls.__dataclass_fields__ if key in data}
        known["flags"] = frozenset(known["flags"])
        known["rates"] = {name: Rate(**rate) for name, rate in known["rates"].items()}
        known["watts"] = Rate(**known["watts"])
        known["accelerators"] = tuple(
            Accelerator(a["name"], a["memory_bytes"], (a["capability"][0], a["capability"][1]))
            for a in known.get("accelerators", ())
        )
        return cls(**known)
