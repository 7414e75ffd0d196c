"""Time what language models are made of: ``python -m effauto.hardware.probe THREADS…``.

Prints one JSON object. Run as a process of its own, by ``calibrate``. One thread is timed by its
own clock, which neighbours on a busy machine do not move; the lower end of a range is what they
left at that moment.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from statistics import median

import torch
from torch import Tensor, nn

Rated = dict[str, float]
# Seconds of one call in each repeat, by the clock that counts and on the wall.
Times = list[tuple[float, float]]

# (tokens, inputs, outputs) of the products in small encoders, or enough to fill a GPU.
CPU_SHAPES = ((128, 384, 384), (512, 384, 1536), (512, 1536, 384), (256, 768, 768))
CUDA_SHAPES = ((4096, 768, 768), (4096, 768, 3072), (4096, 3072, 768))
REPEATS = 5
REPEAT_SECONDS = 0.008
# Of a short request's time, what reading takes at least.
LEAST_READING = 0.3
# What neighbours and other shapes may take or give beyond the repeats.
SLOWER, FASTER = 1.3, 1.1


def main(choices: list[int]) -> None:
    warnings.filterwarnings("ignore")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.inference_mode():
        threads = max(choices, key=_speed_with) if device == "cpu" else max(choices)
        torch.set_num_threads(threads)
        rates = measure(device)
    found = {
        "rates": rates,
        "threads": threads,
        "torch": torch.__version__,
        "notes": _notes(device),
    }
    print(json.dumps(found))


def measure(device: str) -> dict[str, Rated]:
    """Every rate of ``effauto.machine.Hardware``."""
    shapes = CUDA_SHAPES if device == "cuda" else CPU_SHAPES
    float32 = _products(_float_product, shapes, device, torch.float32)
    return {
        "matmul.float32": float32,
        "matmul.bfloat16": _products(_float_product, shapes, device, torch.bfloat16),
        "matmul.int8": _int8(shapes, device) or float32,
        "memory": _memory(device),
        "weights": _weights(device, float32),
        "elementwise": _elementwise(device),
        "optimizer": _optimizer(device),
        "dispatch": _dispatch(device),
        "host": _dispatch("cpu"),
    }


def _speed_with(threads: int) -> float:
    """Products a second on the wall, less for more threads, since idle cores help neighbours."""
    torch.set_num_threads(threads)
    tokens, inputs, outputs = CPU_SHAPES[1]
    product = _float_product(tokens, inputs, outputs, "cpu", torch.float32)
    seconds = median(wall for _, wall in _times(product, "cpu"))
    return float(0.95 ** (threads.bit_length() - 1) / seconds)


def _products(
    make: Callable[..., Callable[[], object]],
    shapes: Iterable[tuple[int, int, int]],
    device: str,
    *options: object,
) -> Rated:
    amounts, times = [], []
    for tokens, inputs, outputs in shapes:
        amounts.append(2.0 * tokens * inputs * outputs)
        times.append(_times(make(tokens, inputs, outputs, device, *options), device))
    repeats = zip(*map(sorted, times), strict=True)
    totals = [(sum(own for own, _ in r), sum(wall for _, wall in r)) for r in map(list, repeats)]
    return _rate(sum(amounts), totals)


def _float_product(
    tokens: int, inputs: int, outputs: int, device: str, dtype: torch.dtype
) -> Callable[[], Tensor]:
    data = torch.randn(tokens, inputs, device=device, dtype=dtype)
    weight = torch.randn(outputs, inputs, device=device, dtype=dtype)
    bias = torch.randn(outputs, device=device, dtype=dtype)
    return lambda: nn.functional.linear(data, weight, bias)


def _int8(shapes: Iterable[tuple[int, int, int]], device: str) -> Rated | None:
    """Products with int8 weights, the rounding of their inputs included; None if torch has none."""
    make = _int8_cuda if device == "cuda" else _int8_cpu
    try:
        return _products(make, shapes, device)
    except (RuntimeError, AttributeError, NotImplementedError):
        return None


def _int8_cpu(tokens: int, inputs: int, outputs: int, device: str) -> Callable[[], Tensor]:
    data = torch.randn(tokens, inputs)
    weight = torch.quantize_per_tensor(torch.randn(outputs, inputs), 0.02, 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(weight, torch.randn(outputs))
    return lambda: torch.as_tensor(torch.ops.quantized.linear_dynamic(data, packed))


def _int8_cuda(tokens: int, inputs: int, outputs: int, device: str) -> Callable[[], Tensor]:
    data = torch.randint(-127, 127, (tokens, inputs), device=device, dtype=torch.int8)
    weight = torch.randint(-127, 127, (inputs, outputs), device=device, dtype=torch.int8)
    return lambda: torch._int_mm(data, weight)


def _memory(device: str) -> Rated:
    source = torch.ones(2**26 if device == "cuda" else 2**23, device=device)  # beyond its caches
    target = torch.empty_like(source)
    return _rate(2.0 * 4 * source.numel(), _times(lambda: target.copy_(source), device))


def _weights(device: str, products: Rated) -> Rated:
    """Weights of one layer after another, read for a short request, beside its computing."""
    layers, tokens, inputs, outputs = (96 if device == "cuda" else 18), 16, 384, 1536
    data = torch.randn(tokens, inputs, device=device)
    weights = [torch.randn(outputs, inputs, device=device) for _ in range(layers)]

    def request() -> None:
        for weight in weights:
            nn.functional.linear(data, weight)

    numbers = float(layers * inputs * outputs)
    computing = 2.0 * tokens * numbers / products["value"]

    def reading(whole: float) -> float:
        return max(whole - computing, LEAST_READING * whole)

    times = [(reading(own), reading(wall)) for own, wall in _times(request, device)]
    return _rate(4.0 * numbers, times)


def _elementwise(device: str) -> Rated:
    """The activation, two norms and two sums of a layer, on a batch of tokens."""
    tokens, width, inner = 4096 if device == "cuda" else 512, 384, 1536
    hidden = torch.randn(tokens, inner, device=device)
    states = torch.randn(tokens, width, device=device)
    norm = nn.LayerNorm(width, device=device)

    def layer() -> Tensor:
        nn.functional.gelu(hidden)
        return torch.as_tensor(norm(states + norm(states + states)))

    return _rate(tokens * (inner + 4.0 * width), _times(layer, device))


def _optimizer(device: str) -> Rated:
    """The operator within AdamW, whose class would import the compiler, for a second."""
    shape = (8 * 6 * 384 if device == "cuda" else 6 * 384, 1536)
    parameters, gradient, mean = (torch.randn(shape, device=device) for _ in range(3))
    square, count = torch.rand(shape, device=device), torch.ones((), device=device)

    def step() -> None:
        torch._fused_adamw_(
            [parameters],
            [gradient],
            [mean],
            [square],
            [],
            [count],
            lr=1e-5,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.01,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    return _rate(parameters.numel(), _times(step, device))


def _dispatch(device: str) -> Rated:
    small = torch.ones(8, 8, device=device)

    def calls() -> None:
        for _ in range(1000):
            small + small

    return _rate(1000.0, _times(calls, device))


def _times(call: Callable[[], object], device: str) -> Times:
    """Several repeats of a few milliseconds each."""
    call()
    count = max(1, int(REPEAT_SECONDS / max(_time(call, 2, device)[1], 1e-9)))
    return [_time(call, count, device) for _ in range(REPEATS)]


def _time(call: Callable[[], object], count: int, device: str) -> tuple[float, float]:
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if alone else time.perf_counter
    _wait_for(device)
    wall, own = time.perf_counter(), clock()
    for _ in range(count):
        call()
    _wait_for(device)
    return (clock() - own) / count, (time.perf_counter() - wall) / count


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _rate(amount: float, times: Times) -> Rated:
    """The second-fastest repeat is the rate; slower ones tell of a moment."""
    fastest, own = sorted(own for own, _ in times)[:2]
    slow = max(median(wall for _, wall in times), own * SLOWER)
    return {"value": amount / own, "low": amount / slow, "high": amount / fastest * FASTER}


def _notes(device: str) -> dict[str, str]:
    engine = "torch._int_mm" if device == "cuda" else torch.backends.quantized.engine
    return {"matmul.int8": f"engine {engine}"}


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1])
