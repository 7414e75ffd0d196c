"""The page in a real browser: nothing goes wrong, and what can be chosen works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drawn_page import Drawn

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=["light", "dark", "phone"])
def page(browser: Any, drawn: Drawn, request: pytest.FixtureRequest) -> Iterator[Any]:
    phone = request.param == "phone"
    size = {"width": 390, "height": 844} if phone else {"width": 1100, "height": 900}
    scheme = "dark" if request.param == "dark" else "light"
    opened = browser.new_context(viewport=size, color_scheme=scheme, offline=True).new_page()
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(drawn.page.as_uri())
    opened.wait_for_selector("#front .main-svg")
    yield opened
    opened.context.close()
    assert wrong == []


def test_nothing_is_wider_than_the_window(page: Any) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]
    assert page.title().startswith("effauto: <script>")


def test_points_can_be_filtered_and_axes_chosen(page: Any) -> None:
    rows = page.locator("#recipes tbody tr")
    before = rows.count()
    assert page.locator("#front .scatterlayer .point").count() >= 1
    page.fill("#filter", "no such method")
    assert rows.count() == 0
    assert page.locator("#status").inner_text().startswith("0 of")
    page.fill("#filter", "")
    assert rows.count() == before
    page.select_option("#x", "inference.latency")
    assert page.locator("#x-title").inner_text() == "inference.latency"


def test_it_is_used_by_keyboard(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for name in ("x", "y", "filter", "kept"):
        assert page.locator(f"label:has(#{name})").count() == 1
