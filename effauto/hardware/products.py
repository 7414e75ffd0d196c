"""Matrix products of the exact shapes that a network has, timed on this machine and kept.

A rate is a mean over shapes, while a product's speed hangs on its shape, and on whether its numbers
lie in a cache: each is timed on operands that do not.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from effauto.errors import HardwareError
from effauto.hardware import cache
from effauto.machine import PATIENT_THREADS, Hardware

_PATIENCE = 300.0
_log = logging.getLogger(__name__)


class Product(NamedTuple):
    """``batch`` products of (m, k) and (k, n) matrices.

    ``kind`` is ``addmm``, ``mm``, ``bmm``, or ``attention`` and ``attention_backward``: there m
    and n are the lengths of queries and keys, and k is the width of a head.
    """

    kind: str
    batch: int
    m: int
    k: int
    n: int
    dtype: str

    @property
    def flops(self) -> float:
        """2 for a multiply-add; attention multiplies twice, and backward five times."""
        passes = {"attention": 2.0, "attention_backward": 5.0}.get(self.kind, 1.0)
        return 2.0 * passes * self.batch * self.m * self.k * self.n


def sample_of(kind: str) -> Product:
    """Numbers as a layer of a small encoder has them, for an operator that is no product."""
    return Product(kind, 1, 4096, 1, 384, "float32")


# Operators whose time is a matter of the numbers they touch, m · n of them.
SAMPLES: Mapping[str, Product] = {
    kind: sample_of(kind)
    for kind in (
        "pointwise",
        "copy",
        "dropout",
        "gelu",
        "gelu_backward",
        "layernorm",
        "layernorm_backward",
        "softmax",
        "softmax_backward",
    )
}

# Seconds of one product: the fastest repeat, the second, which is what it takes, and the median.
Times = Mapping[Product, tuple[float, float, float]]


def product_seconds(products: Collection[Product], hardware: Hardware) -> Times:
    """Seconds of each product on this machine, with its threads; what was timed before is kept.

    A product that torch cannot compute here is left out. Raises HardwareError if the process that
    times them fails.
    """
    path = _path(hardware)
    kept = _read(path)
    missing = [product for product in products if product not in kept]
    if missing:
        kept |= _timed(missing, hardware.threads)
        _write(path, kept)
    return {product: kept[product] for product in products if product in kept}


def _path(hardware: Hardware) -> Path:
    calibration = cache.path_for(hardware)
    return calibration.with_name(f"{calibration.stem}.products-{hardware.threads}.json")


def _timed(
    products: Collection[Product], threads: int
) -> dict[Product, tuple[float, float, float]]:
    command = [sys.executable, "-m", "effauto.hardware.product_probe", str(threads)]
    environment = os.environ | PATIENT_THREADS
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    environment.pop("OMP_NUM_THREADS", None)
    try:
        answer = subprocess.run(
            command,
            input=json.dumps(list(products)),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise HardwareError(
            f"timing {len(products)} products did not end within {_PATIENCE:.0f} s: "
            "the machine is too busy"
        ) from None
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise HardwareError(f"timing products failed ({reason}); is torch installed whole?")
    return _parsed(json.loads(answer.stdout.splitlines()[-1]))


def _parsed(rows: Any) -> dict[Product, tuple[float, float, float]]:
    return {Product(*product): (low, middle, high) for product, (low, middle, high) in rows}


def _read(path: Path) -> dict[Product, tuple[float, float, float]]:
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        _log.warning("ignoring the damaged timings %s: %s", path, error)
        return {}


def _write(path: Path, times: Times) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(list(times.items())), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        _log.warning("the timings cannot be kept in %s: %s", path, error.strerror)
