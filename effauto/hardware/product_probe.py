"""Time products on cold operands: ``python -m effauto.hardware.product_probe THREADS``.

Reads a JSON list of products from standard input and prints one of [product, seconds]. A process of
its own, started by ``product_seconds``, since it imports torch.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from statistics import median

import torch
from torch import Tensor, nn

from effauto.hardware.products import Product

# Operands are taken in turn from so many bytes, more than caches hold.
ROTATED_BYTES = 4.2e7
WARM_UP = 5  # the allocator learns which blocks to keep
REPEATS = 5
REPEAT_SECONDS = 0.01

Call = Callable[[tuple[Tensor, ...]], object]


def main(threads: int) -> None:
    torch.set_num_threads(threads)
    asked = [Product(*row) for row in json.load(sys.stdin)]
    found = [(product, times) for product in asked if (times := _times(product, threads))]
    print(json.dumps(found))


def _times(product: Product, threads: int) -> tuple[float, float, float] | None:
    """Seconds of one product: fastest, second and median repeat; None if torch has none.

    The second is what it takes; slower ones tell of a moment.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    try:
        call, operands = _prepared(product)
        _seconds(call, operands, WARM_UP, clock)
        once = _seconds(call, operands, 2, clock)
        count = max(1, math.ceil(REPEAT_SECONDS / max(once, 1e-9)))
        repeats = sorted(_seconds(call, operands, count, clock) for _ in range(REPEATS))
    except (RuntimeError, AttributeError, KeyError):
        return None
    return repeats[0], repeats[1], median(repeats)


def _seconds(
    call: Call, operands: Iterator[tuple[Tensor, ...]], count: int, clock: Callable[[], float]
) -> float:
    start = clock()
    for _ in range(count):
        call(next(operands))
    return (clock() - start) / count


def _prepared(product: Product) -> tuple[Call, Iterator[tuple[Tensor, ...]]]:
    call, shapes = _CALLS[product.kind](product)
    dtype = getattr(torch, product.dtype)
    bytes_each = sum(map(math.prod, shapes)) * dtype.itemsize
    count = max(2, math.ceil(ROTATED_BYTES / bytes_each))
    return call, cycle(
        [tuple(torch.randn(s).to(dtype) for s in shapes) for _ in range(min(count, 4096))]
    )


Prepared = tuple[Call, list[tuple[int, ...]]]


def _addmm(p: Product) -> Prepared:
    return lambda o: nn.functional.linear(o[0], o[1], o[2]), [(p.m, p.k), (p.n, p.k), (p.n,)]


def _mm(p: Product) -> Prepared:
    return lambda o: torch.mm(o[0], o[1]), [(p.m, p.k), (p.k, p.n)]


def _bmm(p: Product) -> Prepared:
    return lambda o: torch.bmm(o[0], o[1]), [(p.batch, p.m, p.k), (p.batch, p.k, p.n)]


def _attention(p: Product) -> Prepared:
    query, key = (1, p.batch, p.m, p.k), (1, p.batch, p.n, p.k)
    return lambda o: nn.functional.scaled_dot_product_attention(o[0], o[1], o[2]), [query, key, key]


def _attention_backward(p: Product) -> Prepared:
    """The gradients are as many as the outputs, and what is kept of forward need not be true."""
    kernels = torch.ops.aten
    query, key = (1, p.batch, p.m, p.k), (1, p.batch, p.n, p.k)
    shapes = [query, query, key, key, query, (1, p.batch, p.m)]
    backward = kernels._scaled_dot_product_flash_attention_for_cpu_backward
    return lambda o: backward(*o, 0.0, False), shapes


def _on(call: Callable[..., object], tensors: int = 1) -> Callable[[Product], Prepared]:
    """An operator on so many tensors of (m, n) numbers."""
    return lambda p: (lambda o: call(*o), [(p.m, p.n)] * tensors)


def _rearranged(x: Tensor) -> Tensor:
    """The heads of attention are put before the tokens, and copied so."""
    return x.view(-1, 32, x.shape[1] // 32, 32).transpose(1, 2).contiguous()


def _normed_backward(p: Product) -> Prepared:
    shapes = [(p.m, p.n), (p.m, p.n), (p.m, 1), (p.m, 1), (p.n,), (p.n,)]
    backward = torch.ops.aten.native_layer_norm_backward
    return lambda o: backward(o[0], o[1], [p.n], o[2], o[3], o[4], o[5], [True, True, True]), shapes


_CALLS: dict[str, Callable[[Product], Prepared]] = {
    "addmm": _addmm,
    "mm": _mm,
    "bmm": _bmm,
    "attention": _attention,
    "attention_backward": _attention_backward,
    "pointwise": _on(torch.add, 2),
    "copy": _on(_rearranged),
    "dropout": _on(lambda x: torch.empty_like(x).bernoulli_(0.9)),
    "gelu": _on(nn.functional.gelu),
    "gelu_backward": _on(torch.ops.aten.gelu_backward, 2),
    "layernorm": lambda p: (
        lambda o: nn.functional.layer_norm(o[0], (p.n,), o[1], o[2]),
        [(p.m, p.n), (p.n,), (p.n,)],
    ),
    "layernorm_backward": _normed_backward,
    "softmax": _on(lambda x: torch.softmax(x, -1)),
    "softmax_backward": _on(
        lambda g, y: torch.ops.aten._softmax_backward_data(g, y, -1, torch.float32), 2
    ),
}

if __name__ == "__main__":
    with torch.inference_mode():
        main(int(sys.argv[1]))
