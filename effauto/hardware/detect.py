"""This machine, as plans see it. Nothing heavy is imported and nothing is measured."""

from __future__ import annotations

from dataclasses import replace

from effauto.hardware import cache, guess, power
from effauto.hardware.graphics import Graphics, find_graphics
from effauto.hardware.limits import usable_cores, usable_memory
from effauto.hardware.processor import Processor, find_processor
from effauto.machine import Hardware, Rate

HERE = "here"
# A GPU nobody measured: the data sheets of the last ten years lie within.
_SOME_GPU = guess.Peaks(
    float32=2e13, bfloat16=6e13, int8=1.2e14, memory=6e11, calls=1e5, host_calls=9e5
)
_SOME_GPU_SHARES: guess.Shares = (0.15, 0.4, 1.5)


def this_machine(*, calibrated_if_cached: bool = True) -> Hardware:
    """Describe this machine: with the rates of its last calibration, if there was one.

    Otherwise the rates are guessed from its data, with wide ranges, and ``calibrated`` is False.
    """
    hardware = _detected()
    if calibrated_if_cached and (found := cache.read(hardware)):
        return calibrated(hardware, found)
    return hardware


def calibrated(hardware: Hardware, found: cache.Calibration) -> Hardware:
    """The machine with the rates and the threads that a calibration found."""
    source = f"measured here on {found.date} with torch {found.torch}, threads: {found.threads}"
    sources = {**hardware.sources, "rates": source, **found.notes}
    return replace(
        hardware,
        threads=found.threads,
        rates={**hardware.rates, **found.rates},
        watts=_watts(found.threads, hardware.memory_bytes, find_graphics()),
        calibrated=True,
        sources=sources,
    )


def _detected() -> Hardware:
    processor, cores, memory = find_processor(), usable_cores(), usable_memory()
    graphics = find_graphics()
    counter = power.power_counter(graphics)
    return Hardware(
        name=_name(processor, cores, graphics),
        origin="detected",
        processor=processor.name,
        cores=cores,
        threads=cores,
        flags=processor.flags,
        memory_bytes=memory,
        rates=_guessed_rates(processor, cores, graphics),
        watts=_watts(cores, memory, graphics),
        accelerators=tuple(card.accelerator for card in graphics),
        power_counter=counter,
        sources={
            "rates": _guess_note(processor, graphics),
            "watts": "a share of usual chips by threads and memory"
            + (f"; {counter} can measure it" if counter else "; no counter can be read here"),
        },
    )


def _name(processor: Processor, cores: int, graphics: tuple[Graphics, ...]) -> str:
    cards = "".join(f" + {card.accelerator.name}" for card in graphics[:1])
    return f"{processor.name}, {cores} core{'s' * (cores != 1)}{cards}"


def _guessed_rates(
    processor: Processor, cores: int, graphics: tuple[Graphics, ...]
) -> dict[str, Rate]:
    if graphics:
        return guess.rates_of(_SOME_GPU, _SOME_GPU_SHARES)
    return guess.rates_of(guess.cpu_peaks(processor, cores))


def _guess_note(processor: Processor, graphics: tuple[Graphics, ...]) -> str:
    basis = (
        "for some GPU" if graphics else f"from flags and a clock of {processor.hertz / 1e9:.2g} GHz"
    )
    return f"guessed {basis}; 'effauto hardware calibrate' measures them"


def _watts(threads: int, memory: int, graphics: tuple[Graphics, ...]) -> Rate:
    return power.modelled_watts(threads, memory, graphics)
