"""Requests that come together are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

Predict = Callable[[Sequence[Any]], Sequence[Any]]
# Told of each batch: its rows, and the seconds that the model took.
Watch = Callable[[int, float], None]


@dataclass
class Batcher:
    """Collects inputs for at most ``wait`` seconds, or until there are ``most``, and asks once.

    The model runs in one thread beside the event loop. An input that fails a batch is found by
    asking for each alone, so that it fails nobody else's.
    """

    predict: Predict
    most: int = 32
    wait: float = 0.002
    watch: Watch = lambda rows, seconds: None
    _waiting: asyncio.Queue[tuple[Any, asyncio.Future[Any]]] = field(default_factory=asyncio.Queue)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    async def answer(self, inputs: Sequence[Any]) -> list[Any]:
        """The model's answer to each input, in their order."""
        loop = asyncio.get_running_loop()
        asked = [(one, loop.create_future()) for one in inputs]
        for pair in asked:
            self._waiting.put_nowait(pair)
        return list(await asyncio.gather(*(future for _, future in asked)))

    async def run(self) -> None:
        """Answer what comes, until cancelled."""
        while True:
            await self._batch([await self._waiting.get()])

    async def _batch(self, batch: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        end = asyncio.get_running_loop().time() + self.wait
        while len(batch) < self.most:
            left = end - asyncio.get_running_loop().time()
            if left <= 0 and self._waiting.empty():
                break
            try:
                batch.append(await asyncio.wait_for(self._waiting.get(), max(left, 0.0)))
            except TimeoutError:
                break
        await self._ask(batch)

    async def _ask(self, batch: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        loop, started = asyncio.get_running_loop(), perf_counter()
        try:
            found = await loop.run_in_executor(
                self._thread, self.predict, [one for one, _ in batch]
            )
        except Exception as error:  # whatever the model raises is the asker's to know
            if len(batch) == 1:
                _settle(batch[0][1], error)
                return
            for pair in batch:
                await self._ask([pair])
            return
        self.watch(len(batch), perf_counter() - started)
        for (_, future), label in zip(batch, found, strict=True):
            _settle(future, label)


def _settle(future: asyncio.Future[Any], found: Any) -> None:
    """Whoever asked may have gone meanwhile."""
    if future.done():
        return
    if isinstance(found, Exception):
        future.set_exception(found)
    else:
        future.set_result(found)
