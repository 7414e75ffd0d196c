"""The application: ``/predict``, ``/health`` and ``/metrics``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from effauto.errors import EffautoError
from effauto.serving.batching import Batcher, Predict

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# In one request, so that nobody's waits for hours behind another's.
MOST_INPUTS, MOST_BYTES = 1024, 8 * 2**20


class Measures:
    """What ``/metrics`` tells, in the text format of Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "effauto_requests", "Requests by status", ["status"], registry=self.registry
        )
        self.inputs = Counter("effauto_inputs", "Inputs answered", registry=self.registry)
        self.seconds = Histogram(
            "effauto_batch_seconds", "Seconds the model takes a batch", registry=self.registry,
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
        )  # fmt: skip
        self.sizes = Histogram(
            "effauto_batch_size", "Inputs answered together", registry=self.registry,
            buckets=(1, 2, 4, 8, 16, 32, 64),
        )  # fmt: skip

    def batch(self, rows: int, seconds: float) -> None:
        self.inputs.inc(rows)
        self.seconds.observe(seconds)
        self.sizes.observe(rows)


def application(
    predict: Predict, about: dict[str, Any], *, most: int = 32, wait: float = 0.002
) -> Starlette:
    """Serve ``predict``; ``about`` is told by ``/health``.

    Only requests that name this machine as their host are answered, and none that a page of
    another origin makes.
    """
    measures = Measures()
    batcher = Batcher(predict, most, wait, measures.batch)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def answered(request: Request) -> Response:
        response = await _predicted(request, batcher)
        measures.requests.labels(response.status_code).inc()
        return response

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", **about})

    async def metrics(request: Request) -> Response:
        return PlainTextResponse(generate_latest(measures.registry))

    return Starlette(
        routes=[
            Route("/predict", answered, methods=["POST"]),
            Route("/health", health),
            Route("/metrics", metrics),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))],
        lifespan=lifespan,
    )


async def _predicted(request: Request, batcher: Batcher) -> Response:
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        return _refused(403, "a page of another origin may not ask this model")
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        return _refused(413, f"a request holds at most {MOST_BYTES} bytes")
    try:
        inputs = _inputs(json.loads(await request.body()))
        return JSONResponse({"predictions": await batcher.answer(inputs)})
    except (ValueError, EffautoError) as error:
        return _refused(400, str(error))


def _inputs(given: Any) -> Sequence[Any]:
    """Those of the request; ValueError, with a sentence, if there are none."""
    inputs = given.get("inputs") if isinstance(given, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise ValueError('send a JSON object such as {"inputs": ["a text", "another"]}')
    if len(inputs) > MOST_INPUTS:
        raise ValueError(f"a request holds at most {MOST_INPUTS} inputs, not {len(inputs)}")
    return inputs


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)
