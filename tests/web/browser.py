"""A real Chromium, headless, for the console's tests; and somebody who logs in with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.real import Served

WORDS = "four strange words together"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def link_of(web: Served, name: str, role: str) -> str:
    """Give the path of a one-time link for a new user."""
    made = web.core.client.post("/v1/users", {"name": name, "role": role})
    return "/" + made["link"].split("/", 3)[3]


def logged_in(browser: Browser, web: Served, name: str, role: str, **context: Any) -> Page:
    """Open the first page as a new user who has just set a password."""
    page = browser.new_context(base_url=f"http://127.0.0.1:{web.port}", **context).new_page()
    page.goto(link_of(web, name, role))
    page.fill("input[name=password]", WORDS)
    page.fill("input[name=again]", WORDS)
    page.click("button.main")
    page.wait_for_selector("#now h2")
    return page


def violations(page: Page, *only: str) -> list[str]:
    """Give what axe finds on a page, of WCAG 2.2 AA and its best practices: rule and place.

    With `only`, what it finds by these rules.
    """
    axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    rules = {"runOnly": list(only)} if only else {}
    found = page.evaluate(f"{axe}; axe.run({json.dumps(rules)})")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
