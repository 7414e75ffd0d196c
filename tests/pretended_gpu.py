"""A GPU where there is none: tensors that are said to be on it, computed with on the processor.

What torch refuses of a real one is refused: numbers of both devices in one operator, and numpy.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

GPU = torch.device("cuda:0")
_MOVES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)
_INDEXED = (torch.ops.aten.index.Tensor, torch.ops.aten.index_put_.default,
            torch.ops.aten.index_put.default, torch.ops.aten._index_put_impl_.default)  # fmt: skip


class _Places:
    """Which storages are said to be on the GPU."""

    def __init__(self) -> None:
        self._there: dict[int, weakref.ref[Any]] = {}
        self.target: str | None = None  # of all that is made now
        self.beside = False  # whether what is made of nothing is made beside numbers on the GPU

    def put(self, tensor: Tensor, there: bool) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if there:
            self._there[key] = weakref.ref(storage, lambda _: self._there.pop(key, None))
        else:
            self._there.pop(key, None)

    def has(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._there

    @contextmanager
    def making(self, target: str) -> Iterator[None]:
        before, self.target = self.target, target
        try:
            yield
        finally:
            self.target = before


class _Dispatched(TorchDispatchMode):
    """Refuses to mix, and says of what comes out that it is where what went in was."""

    def __init__(self, places: _Places) -> None:
        super().__init__()
        self.places = places

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [tensor for tensor in given if self.places.has(tensor)]
        here = [t for t in given if t.ndim and t.numel() and not self.places.has(t)]
        if there and here and func not in _MOVES and not self._indexes(func, args):
            shapes = [tuple(t.shape) for t in there], [tuple(t.shape) for t in here]
            raise RuntimeError(f"{func}: tensors on cuda:0 and cpu, of shapes {shapes}")
        out = func(*args, **(kwargs or {}))
        on_gpu = bool(there) or (not given and self.places.beside)
        if self.places.target:
            on_gpu = self.places.target == "cuda"
        if func not in _MOVES[:1]:
            olds = {t.untyped_storage()._cdata for t in given}
            for made in tree_leaves(out):
                if isinstance(made, Tensor) and made.untyped_storage()._cdata not in olds:
                    self.places.put(made, on_gpu)
        return out

    def _indexes(self, func: Any, args: Any) -> bool:
        """Places may be numbers of the processor."""
        rest = [t for t in (args[0], *args[2:]) if isinstance(t, Tensor) and t.ndim]
        return func in _INDEXED and all(map(self.places.has, rest))


class _Called(TorchFunctionMode):
    """Answers where a tensor is, and makes and moves tensors."""

    def __init__(self, places: _Places) -> None:
        super().__init__()
        self.places = places

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if args and isinstance(args[0], Tensor):
            return self._of_tensor(func, name, args[0], args, kwargs)
        if _is_gpu(kwargs.get("device")):
            if kwargs.get("generator") is not None:
                raise RuntimeError("a generator of the processor for numbers on the GPU")
            kwargs["device"] = "cpu"
            with self.places.making("cuda"):
                return func(*args, **kwargs)
        if kwargs.get("device") is not None:
            with self.places.making("cpu"):
                return func(*args, **kwargs)
        return func(*args, **kwargs)

    def _of_tensor(self, func: Any, name: str, first: Tensor, args: Any, kwargs: Any) -> Any:
        there = self.places.has(first)
        if name == "__get__":
            return self._attribute(func, first, args)
        if name in ("numpy", "__array__") and there:
            raise TypeError("can't convert cuda:0 device type tensor to numpy; use Tensor.cpu()")
        if name in ("to", "cpu", "cuda"):
            return self._moved(func, name, first, args, kwargs)
        if _is_gpu(kwargs.get("device")):
            kwargs["device"] = "cpu"
            with self.places.making("cuda"):
                return func(*args, **kwargs)
        if name.startswith("new_"):
            made = func(*args, **kwargs)
            self.places.put(made, there)
            return made
        before, self.places.beside = self.places.beside, there
        try:
            return func(*args, **kwargs)
        finally:
            self.places.beside = before

    def _attribute(self, func: Any, tensor: Tensor, args: Any) -> Any:
        which = getattr(func.__self__, "__name__", "")
        if which in ("device", "is_cuda", "is_cpu") and self.places.has(tensor):
            return {"device": GPU, "is_cuda": True, "is_cpu": False}[which]
        return func(*args)

    def _moved(self, func: Any, name: str, tensor: Tensor, args: Any, kwargs: Any) -> Any:
        rest, target = list(args[1:]), None if name == "to" else name
        if name == "to":
            wanted = [a for a in (*rest, kwargs.get("device")) if isinstance(a, str | torch.device)]
            alike = [a for a in (*rest, kwargs.get("other")) if isinstance(a, Tensor)]
            if wanted:
                target = torch.device(wanted[0]).type
                rest = ["cpu" if isinstance(a, str | torch.device) else a for a in rest]
                kwargs |= {"device": "cpu"} if "device" in kwargs else {}
            elif alike:
                target = "cuda" if self.places.has(alike[0]) else "cpu"
        if target is None or (target == "cuda") == self.places.has(tensor):
            return tensor if name != "to" else func(tensor, *rest, **kwargs)
        with self.places.making(target):
            moved = tensor.clone()
            return moved if name != "to" else func(moved, *rest, **kwargs)


def _is_gpu(device: Any) -> bool:
    return device is not None and torch.device(device).type == "cuda"


@contextmanager
def pretended_gpu() -> Iterator[Callable[[Tensor], bool]]:
    """Within, ``"cuda"`` is a device; yields what tells whether a tensor is on it."""
    places = _Places()
    with ExitStack() as stack:
        stack.enter_context(_Dispatched(places))
        stack.enter_context(_Called(places))
        yield places.has
