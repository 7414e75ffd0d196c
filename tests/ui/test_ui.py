"""The results in a browser: what each page shows, to whom, and that nothing of it is markup."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sample_tasks import topic_rows

import effauto
from effauto.plugins import load_plugins

testclient = pytest.importorskip("starlette.testclient", reason="pip install 'effauto[ui]'")
pytest.importorskip("plotly")
NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A search of three trials on a task whose name is markup."""
    folder = tmp_path_factory.mktemp("ui")
    data = folder / NAME
    data.mkdir()
    rows = "\n".join(json.dumps(row) for row in topic_rows(120))
    (data / "train.jsonl").write_text(rows, encoding="utf-8")
    store = str(folder / "results.db")
    effauto.plan(data, model="bag-of-words", search_time=60, max_trials=3, store=store)
    return store


@pytest.fixture(scope="module")
def app(db: str) -> Any:
    from effauto.ui.app import application

    return application(db, load_plugins().methods())


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[Any]:
    with testclient.TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_studies_lead_to_their_pages(client: Any) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert '<a href="/study/1">1</a>' in page.text
    study = client.get("/study/1")
    assert "The best for " in study.text
    assert "Refresh" not in study.headers


def test_trials_are_filtered_as_on_the_command_line(client: Any) -> None:
    assert client.get("/trials").text.count('<a href="/trial/') == 3
    assert "No trial is like that." in client.get("/trials?model=minilm").text
    found = client.get("/trials?where=model.size%3C%3D1GiB&state=finished&sort=model.size")
    assert found.text.count('<a href="/trial/') == 3
    assert client.get("/trials?where=nonsense").status_code == 400
    assert client.get("/trials?page=0").status_code == 400


def test_one_trial_and_two_beside_each_other(client: Any) -> None:
    assert "quality.accuracy" in client.get("/trial/1").text
    beside = client.get("/compare?a=1&b=2").text
    assert "Trials 1 and 2" in beside
    assert "model.size" in beside
    assert client.get("/compare?a=1").status_code == 400
    missing = client.get("/trial/99")
    assert missing.status_code == 404
    assert "There is no trial" in missing.text


def test_fronts_of_a_task_within_limits(client: Any) -> None:
    page = client.get("/fronts?budget=model.size%3C%3D1KiB")
    assert 'src="/page.js"' in page.text
    assert page.text.count('"kind":"tried"') == 3
    assert page.text.count('model.size\\u003c=1KiB"]') == 3
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert client.get("/page.js").headers["content-type"].startswith("text/javascript")
    assert "No trial is like that." in client.get("/fronts?task=nonsense").text
    assert client.get("/fronts?budget=nonsense").status_code == 400


def test_methods_and_their_cards(client: Any) -> None:
    page = client.get("/methods").text
    name = page.split('href="/method/')[1].split('"')[0]
    card = client.get(f"/method/{name}").text
    assert "<h2>" in card
    assert "generated" not in card
    assert client.get("/method/nonsense").status_code == 404


@pytest.mark.parametrize(
    "place", ["/", "/study/1", "/fronts", "/trials", "/trial/1", "/compare?a=1&b=2"]
)
def test_names_are_no_markup(client: Any, place: str) -> None:
    assert NAME not in client.get(place).text


def test_only_this_machine_looks_and_nothing_changes(client: Any) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert client.get("/", headers={"host": "example.org"}).status_code == 400
    elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    assert client.get("/trials", headers=elsewhere).status_code == 403
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/trials").status_code == 405
    assert client.get("/nowhere").status_code == 404


@pytest.mark.slow
def test_in_a_real_browser(app: Any) -> None:
    from shutil import which

    sync_api = pytest.importorskip("playwright.sync_api")
    import uvicorn

    chromium = which("chromium") or which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            wrong: list[str] = []
            page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(f"http://127.0.0.1:{port}/")
            page.click("text=Trials")
            page.locator("input[name=a]").nth(0).check()
            page.locator("input[name=b]").nth(1).check()
            page.click("text=Compare a with b")
            assert page.title().startswith("Trials ")
            page.goto(f"http://127.0.0.1:{port}/study/1")
            page.wait_for_selector("#front .main-svg")
            page.goto(f"http://127.0.0.1:{port}/fronts")
            page.wait_for_selector("#front .main-svg")
            assert page.locator("#front .scatterlayer .point").count() == 3
            page.select_option("#x", "train.time")
            page.fill("#filter", "no such method")
            assert page.locator("#recipes tbody tr").count() == 0
            page.fill("input[name=budget]", "model.size<=1KiB")
            page.click("text=Show")
            page.check("#kept")
            assert page.locator("#status").inner_text().startswith("0 of 3")
            assert wrong == []
            browser.close()
    finally:
        server.should_exit = True
        thread.join(10)
