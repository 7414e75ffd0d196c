"""Counts what torch dispatches, and the bytes that its tensors hold meanwhile."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from effauto.cost.trace import Counted
from effauto.execution.meter import flop_counter
from effauto.hardware.products import SAMPLES, Product

# Operators, by how their names begin, whose time is a matter of the numbers they touch.
_KINDS = {
    "gelu": "gelu",
    "silu": "gelu",
    "tanh": "gelu",
    "softmax": "softmax",
    "safe_softmax": "softmax",
    "log_softmax": "softmax",
    "native_layer_norm": "layernorm",
    "fused_rms_norm": "layernorm",
    "native_dropout": "dropout",
    "bernoulli": "dropout",
    "copy": "copy",
    "clone": "copy",
    "to_copy": "copy",
    "cat": "copy",
    "embedding": "copy",
    "index": "copy",
    "gather": "copy",
    "fused_adamw": "optimizer",
}
_READS_FEW = ("embedding", "index", "gather")  # of a large table
_NO_CALLS = ("prim", "profiler")
_NO_WORK = ("unsafe_view", "empty", "scalar_tensor", "local_scalar_dense")


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A mode in which tensors are watched: enter it within FakeTensorMode, or on real tensors.

    Bytes are those of storages, from when they are first seen until they are freed.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak_bytes = self._bytes = 0
        self._held: dict[int, weakref.ref[Any]] = {}
        self._flops = 0.0
        self.start()

    def start(self) -> None:
        """Count anew; bytes and their peak go on."""
        self._flops = 0.0
        self._calls = 0
        self._products: Counter[Product] = Counter()
        self._numbers: Counter[str] = Counter()

    def counted(self, tokens: int) -> Counted:
        """What was done since :meth:`start`, on so many tokens."""
        return Counted(
            flops=self._flops,
            peak_bytes=float(self.peak_bytes),
            products=dict(self._products),
            numbers={kind: float(count) for kind, count in self._numbers.items()},
            calls=self._calls,
            tokens=tokens,
        )

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, operators and their products are counted."""
        with flop_counter() as counter, self:
            yield
        self._flops += float(counter.get_total_flops())

    def hold(self, tensors: Iterable[Tensor]) -> None:
        """Count the bytes of these tensors, until they are freed."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            key, size = storage._cdata, storage.nbytes()
            if key not in self._held:
                self._held[key] = weakref.ref(storage, self._freed(key, size))
                self._bytes += size
                self.peak_bytes = max(self.peak_bytes, self._bytes)

    def _freed(self, key: int, size: int) -> Callable[[Any], None]:
        def freed(_: Any) -> None:
            self._bytes -= size
            self._held.pop(key, None)

        return freed

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.namespace not in _NO_CALLS:
            made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
            self._count(func, args, made)
            self.hold(made)
        return out

    def _count(self, func: Any, args: Any, made: list[Tensor]) -> None:
        self._calls += 1
        name = func._schema.name.partition("::")[2].strip("_")
        product = product_of(name, args)
        if product is not None:
            self._products[product] += 1
        elif not func.is_view and not name.startswith(_NO_WORK):
            self._numbers[_kind(name)] += _numbers(name, args, made)


def _kind(name: str) -> str:
    kind = next((kind for start, kind in _KINDS.items() if name.startswith(start)), "pointwise")
    backward = f"{kind}_backward"
    return backward if "backward" in name and backward in SAMPLES else kind


def _numbers(name: str, args: Any, made: list[Tensor]) -> int:
    """The numbers of the largest tensor that is read or written, or of a list of them."""
    listed = args[0] if args and isinstance(args[0], list | tuple) else ()
    if tensors := [one for one in listed if isinstance(one, Tensor)]:  # not so in a list of sizes
        return sum(tensor.numel() for tensor in tensors)
    read = [leaf for leaf in tree_leaves(args) if isinstance(leaf, Tensor)]
    touched = made if name.startswith(_READS_FEW) else made + read
    return max((tensor.numel() for tensor in touched), default=0)


_ATTENTION = "scaled_dot_product_flash_attention_for_cpu"


def product_of(name: str, args: Any) -> Product | None:
    """The matrix product that an operator of this name computes."""
    if name in ("mm", "addmm"):
        a, b = args[-2:] if name == "mm" else args[1:3]
        return Product(name, 1, a.shape[0], a.shape[1], b.shape[1], _dtype(a))
    if name in ("bmm", "baddbmm"):
        a, b = args[-2:] if name == "bmm" else args[1:3]
        return Product("bmm", a.shape[0], a.shape[1], a.shape[2], b.shape[2], _dtype(a))
    if name in (_ATTENTION, f"{_ATTENTION}_backward"):
        kind = "attention" if name == _ATTENTION else "attention_backward"
        q, k = args[:2] if name == _ATTENTION else args[1:3]
        return Product(kind, q.shape[0] * q.shape[1], q.shape[2], q.shape[3], k.shape[2], _dtype(q))
    return None


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def tensors_of(module: torch.nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers."""
    yield from module.parameters()
    yield from module.buffers()
