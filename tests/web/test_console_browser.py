"""The console in a real Chromium: seen, heard by axe, driven by keys, live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.conftest import Web
from tests.world.needs import need, requires

pytestmark = requires("chromium")
PATHS = (
    "/",
    "/wall",
    "/incidents",
    "/incidents/1",
    "/incidents/1/review",
    "/plan/web1/site",
    "/services",
    "/services/shop",
    "/runbooks",
    "/runbooks/restart-nginx",
    "/problems",
    "/problems/1",
    "/hosts/web1",
    "/checks/web1/site",
    "/checks/web1/disk//srv?last=30d",
    "/tickets",
    "/tickets/1",
    "/maintenance",
    "/maintenance/preview?verb=mute&selector=web1",
    "/oncall",
    "/handover",
    "/more",
    "/chains",
    "/reports",
    "/status",
    "/status/reports",
    "/configuration?key=web1/site",
    "/configuration/plan",
    "/audit?actor=kim",
    "/audit/verify",
    "/users",
    "/me",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    need("chromium")
    from tests.web.browser import chromium

    with chromium() as running:
        yield running


def test_every_page_is_readable_by_all_in_light_and_dark(browser: object, web: Web) -> None:
    from tests.web.browser import logged_in, violations

    said: list[str] = []
    # What is dark differs by its colours only.
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
        page = logged_in(browser, web, f"kim-{scheme}", "admin", color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        for path in PATHS:
            page.goto(path)
            page.wait_for_selector("main h1")
            assert violations(page, *rules) == [], path
    assert said == []


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_no_page_is_wider_than_the_screen(browser: object, web: Web, width: int) -> None:
    from tests.web.browser import logged_in

    page = logged_in(browser, web, f"w{width}", "admin", viewport={"width": width, "height": 800})
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_keys_lead_from_row_to_incident_and_to_its_ack(browser: object, web: Web) -> None:
    from tests.web.browser import logged_in

    page = logged_in(browser, web, "keys", "responder")
    page.keyboard.press("j")
    assert page.locator(".row.at .key").first.inner_text() == "web1/site"
    page.keyboard.press("a")
    page.wait_for_selector("#ack[open] input[name=reason]:focus")
    page.keyboard.type("looking into it")
    page.keyboard.press("Enter")
    page.wait_for_selector(".said")
    assert web.core.calls("ack")[0]["reason"] == "looking into it"
    page.wait_for_load_state()  # the page after the deed reads its keys when it is whole
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_a_page_that_follows_leaves_alone_what_somebody_does_on_it(
    browser: object, web: Web
) -> None:
    from tests.web.browser import logged_in

    page = logged_in(browser, web, "fay", "operator")
    page.goto("/incidents/1")
    page.wait_for_load_state()
    page.click("#ack summary")
    page.fill("#ack input[name=reason]", "half a sen")
    page.evaluate("document.querySelector('#h-line').textContent = 'old'")
    with page.expect_response(lambda answer: answer.url.endswith("/incidents/1")):
        web.core.client.post("/v1/incidents/1/answered", {"vendor": "acme"})
    page.wait_for_selector("#h-line:text-is('Timeline')")
    assert page.input_value("#ack[open] input[name=reason]") == "half a sen"
    page.keyboard.type("tence")
    assert page.input_value("#ack[open] input[name=reason]") == "half a sentence"
    page.goto("/tickets/1")
    page.wait_for_load_state()
    with page.expect_response(lambda answer: answer.url.endswith("/tickets/1")):
        web.core.client.post("/v1/incidents/1/answered", {"vendor": "acme"})
