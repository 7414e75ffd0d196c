"""Profiles: machines one does not have, from what their makers publish.

A table of TOML or JSON states the peaks, what share of them work like this reaches (low, usual,
high), the watts, and its source; see ``profiles.toml`` for the form.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from effauto.errors import HardwareError
from effauto.hardware.guess import Peaks, rates_of
from effauto.machine import Accelerator, Hardware, Rate

_GIB = 2**30


@functools.cache
def profiles() -> Mapping[str, Hardware]:
    """The profiles that come with effauto, by name."""
    with Path(__file__).with_name("profiles.toml").open("rb") as file:
        tables = tomllib.load(file)
    return {name: read_table(name, table) for name, table in tables.items()}


def profile(name: str) -> Hardware:
    """The profile ``name``; raise HardwareError, listing the names, if there is none."""
    if name not in profiles():
        raise HardwareError(f"there is no machine {name!r}; known: {', '.join(profiles())}")
    return profiles()[name]


def read_table(name: str, table: Mapping[str, Any]) -> Hardware:
    """Read one profile; raise HardwareError naming what is missing or wrong in it."""
    try:
        return _hardware(name, table)
    except KeyError as error:
        raise HardwareError(f"the machine {name!r} does not state its {error.args[0]}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise HardwareError(f"the machine {name!r} cannot be read: {error}") from None


def _hardware(name: str, table: Mapping[str, Any]) -> Hardware:
    return Hardware(
        name=name,
        origin="profile",
        processor=str(table["processor"]),
        cores=int(table["cores"]),
        threads=int(table.get("threads", table["cores"])),
        flags=frozenset(table.get("flags", ())),
        memory_bytes=int(table["memory_gib"] * _GIB),
        rates=rates_of(_peaks(table["peak"]), _three(table["shares"])),
        watts=_watts(table["watts"]),
        accelerators=_accelerators(table),
        sources={
            "rates": f"{table['source']} ({table['year']}); peaks times the shares that are usual",
            "watts": str(table.get("watts_source", "the same data sheet")),
        },
    )


def _peaks(peak: Mapping[str, Any]) -> Peaks:
    """Read 10¹² operations, GB and 10⁶ calls a second; a precision not stated runs as float32."""
    float32 = 1e12 * float(peak["float32"])
    return Peaks(
        float32=float32,
        bfloat16=1e12 * float(peak.get("bfloat16", peak["float32"])),
        int8=1e12 * float(peak.get("int8", peak["float32"])),
        memory=1e9 * float(peak["memory"]),
        calls=1e6 * float(peak["calls"]),
        host_calls=1e6 * float(peak.get("host_calls", peak["calls"])),
    )


def _accelerators(table: Mapping[str, Any]) -> tuple[Accelerator, ...]:
    if "gpu_memory_gib" not in table:
        return ()
    major, minor = table["capability"]
    memory = int(table["gpu_memory_gib"] * _GIB)
    return (Accelerator(str(table["processor"]), memory, (int(major), int(minor))),)


def _watts(stated: Any) -> Rate:
    low, value, high = _three(stated)
    return Rate(value, low, high)


def _three(stated: Any) -> tuple[float, float, float]:
    low, value, high = (float(number) for number in stated)
    return low, value, high
