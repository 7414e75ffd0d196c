"""A model behind HTTP: batched, watched, closed to others; and served for real by the command."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import effauto
from effauto.errors import InputError

testclient = pytest.importorskip("starlette.testclient", reason="pip install 'effauto[serve]'")


class Model:
    """Answers with the length of each text; remembers how it was asked."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, inputs: Sequence[Any]) -> list[str]:
        self.batches.append(len(inputs))
        if any(not isinstance(one, str) for one in inputs):
            raise InputError("predict takes a list of texts")
        time.sleep(0.01)
        return [str(len(one)) for one in inputs]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def client(model: Model) -> Iterator[Any]:
    from effauto.serving.app import application

    made = application(model, {"model": "a model"}, most=8, wait=0.02)
    with testclient.TestClient(made, base_url="http://127.0.0.1") as client:
        yield client


def ask(client: Any, *inputs: Any, **headers: str) -> Any:
    return client.post("/predict", json={"inputs": list(inputs)}, headers=headers)


def test_it_answers_in_order(client: Any) -> None:
    assert ask(client, "a", "bbb", "cc").json() == {"predictions": ["1", "3", "2"]}


def test_requests_that_come_together_are_answered_together(client: Any, model: Model) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: ask(client, "x" * n).json()["predictions"], range(1, 25)))
    assert found == [[str(n)] for n in range(1, 25)]
    assert max(model.batches) > 1
    assert max(model.batches) <= 8


def test_a_bad_input_fails_nobody_else(client: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        bad, *good = pool.map(lambda one: ask(client, one), [7, "a", "bb", "ccc"])
    assert bad.status_code == 400
    assert bad.json() == {"error": "predict takes a list of texts"}
    assert [response.json()["predictions"] for response in good] == [["1"], ["2"], ["3"]]


@pytest.mark.parametrize("body", ["", "[]", '{"inputs": []}', '{"inputs": "text"}', "{"])
def test_what_is_no_request_is_said(client: Any, body: str) -> None:
    found = client.post("/predict", content=body)
    assert found.status_code == 400
    assert found.json()["error"]


def test_too_many_inputs_are_refused(client: Any) -> None:
    assert "at most 1024" in ask(client, *["a"] * 1025).json()["error"]


def test_others_may_not_ask(client: Any) -> None:
    assert ask(client, "a", origin="http://example.org").status_code == 403
    assert ask(client, "a", origin="http://127.0.0.1").status_code == 200
    assert client.get("/health", headers={"host": "example.org"}).status_code == 400


def test_it_tells_how_it_is(client: Any) -> None:
    ask(client, "a", "b")
    ask(client, 3)
    assert client.get("/health").json() == {"status": "ok", "model": "a model"}
    told = client.get("/metrics").text
    assert 'effauto_requests_total{status="200"} 1.0' in told
    assert 'effauto_requests_total{status="400"} 1.0' in told
    assert "effauto_inputs_total 2.0" in told
    assert "effauto_batch_seconds_count 1.0" in told


@pytest.mark.slow
def test_the_command_serves_a_trained_model(tmp_path: Path) -> None:
    rows = [{"text": f"{'good' if n % 2 else 'bad'} {n}", "label": str(n % 2)} for n in range(120)]
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    effauto.run(effauto.plan(data, model="bag-of-words"), tmp_path / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "effauto", "serve", tmp_path / "model", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert "Serving" in server.stdout.readline()
        body = json.dumps({"inputs": ["good 5", "bad 5"]}).encode()
        assert _answer(f"http://127.0.0.1:{port}/predict", body) == {"predictions": ["1", "0"]}
        assert _answer(f"http://127.0.0.1:{port}/health")["model"] == "bag-of-words"
    finally:
        server.terminate()
        server.wait(10)


def _answer(url: str, body: bytes | None = None) -> Any:
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, body, timeout=10) as response:
                return json.loads(response.read())
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
