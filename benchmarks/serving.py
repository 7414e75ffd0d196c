"""How many requests ``effauto serve`` answers, by how many ask at once.

    python benchmarks/serving.py [--seconds 10]

Trains two recipes on the built-in demo, serves each, and asks with 1 to 64 connections at once, one
text a request; then with 32 texts a request. Beside that, what ``effauto.load`` answers without a
network: one text after the other, and 32 at once. The askers run on the same cores, so a
server of their own would answer more. Writes ``benchmarks/measured/serving.json``, of which
``docs/how-to/serve.md`` shows a table. The machine must be quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx2 as httpx

import effauto
from effauto.hardware import this_machine
from effauto.task import load_task

HERE = Path(__file__).resolve().parent
FILE = HERE / "measured" / "serving.json"
RECIPES = {"int8-dynamic": "minilm", "untouched": "bag-of-words"}
ASKERS, TOGETHER = (1, 4, 16, 64), 32
Ask = Sequence[str]


def main() -> None:
    """Measure all, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    texts = list(load_task("demo").test.texts)
    found = []
    for recipe, model in RECIPES.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "model")
            store = str(Path(scratch, "results.db"))
            plan = effauto.plan(model=model, recipe=recipe, max_rows=400, store=store)
            effauto.run(plan, folder, store=store)
            named = {"model": model, "recipe": recipe}
            found += [named | one for one in measured(folder, texts, seconds)]
    machine = this_machine()
    told = {"machine": machine.name, "threads": machine.threads, "seconds": seconds}
    told |= {"python": platform.python_version(), "effauto": effauto.__version__}
    FILE.write_text(json.dumps(told | {"rows": found}, indent=1) + "\n", encoding="utf-8")


def measured(folder: Path, texts: Ask, seconds: float) -> Iterator[dict[str, Any]]:
    """In the process, then over HTTP."""
    model = effauto.load(folder)
    for size in (1, TOGETHER):
        yield {"how": "in the process", "askers": 1, "texts": size} | alone(
            model, texts, size, seconds
        )
    del model
    with served(folder) as address:
        for askers in ASKERS:
            seen = asyncio.run(asked(address, texts, askers, 1, seconds))
            yield {"how": "over HTTP", "askers": askers, "texts": 1} | seen
        seen = asyncio.run(asked(address, texts, 4, TOGETHER, seconds))
        yield {"how": "over HTTP", "askers": 4, "texts": TOGETHER} | seen


def alone(model: Any, texts: Ask, size: int, seconds: float) -> dict[str, float]:
    """One request after the other, without any network."""
    model.predict(texts[:size])
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < seconds:
        at = len(times) * size % max(1, len(texts) - size)
        started = time.perf_counter()
        model.predict(texts[at : at + size])
        times.append(time.perf_counter() - started)
    return figures(times, size, time.perf_counter() - begun)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of ``effauto serve``, until the block ends."""
    command = [sys.executable, "-u", "-m", "effauto", "serve", str(folder), "--port", "18431"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found is not None
            wait_for(found[0].replace("/predict", "/health"))
            yield found[0]
        finally:
            server.terminate()


def wait_for(address: str) -> None:
    """Until it answers."""
    for _ in range(100):
        try:
            httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nobody answers at {address}")


async def asked(
    address: str, texts: Ask, askers: int, size: int, seconds: float
) -> dict[str, float]:
    """So many ask without a pause, each on a connection of its own."""
    times: list[float] = []
    limits = httpx.Limits(max_connections=askers, max_keepalive_connections=askers)
    async with httpx.AsyncClient(limits=limits, timeout=60.0) as client:

        async def ask(place: int, end: float, kept: list[float]) -> None:
            while time.perf_counter() < end:
                place = (place + size) % max(1, len(texts) - size)
                started = time.perf_counter()
                answer = await client.post(address, json={"inputs": texts[place : place + size]})
                answer.raise_for_status()
                kept.append(time.perf_counter() - started)

        async def all_of_them(span: float, kept: list[float]) -> None:
            end = time.perf_counter() + span
            await asyncio.gather(*(ask(7 * n, end, kept) for n in range(askers)))

        await all_of_them(1.0, [])  # what is slow only once
        begun = time.perf_counter()
        await all_of_them(seconds, times)
        return figures(times, size, time.perf_counter() - begun)


def figures(times: Sequence[float], size: int, seconds: float) -> dict[str, float]:
    """Texts a second, and how long a request took."""
    return {
        "rate": len(times) * size / seconds,
        "median": median(times),
        "p95": quantiles(times, n=20)[-1],
    }


def table() -> str:
    """What was measured, as Markdown."""
    if not FILE.exists():
        return "Not measured yet."
    told = json.loads(FILE.read_text(encoding="utf-8"))
    lines = [
        f"On {told['machine']}, {told['threads']} threads, {told['seconds']:g} s each:",
        "",
        "| model | how | requests at once | texts a request | texts a second | median | 95 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in told["rows"]:
        name = row["model"] if row["recipe"] == "untouched" else f"{row['model']}: {row['recipe']}"
        times = f"{1000 * row['median']:.1f} ms | {1000 * row['p95']:.1f} ms"
        where = f"{row['how']} | {row['askers']} | {row['texts']}"
        lines.append(f"| {name} | {where} | {row['rate']:,.0f} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
