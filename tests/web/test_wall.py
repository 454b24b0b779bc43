"""The wall in a real Chromium: nobody touches it, and it never shows old things as new."""

from __future__ import annotations

from tests.web.conftest import Web
from tests.web.test_console import ask
from tests.world.needs import need, requires


@requires("chromium")
def test_the_wall_says_when_the_line_is_lost_and_loads_itself_anew(web: Web) -> None:
    need("chromium")
    from tests.web.browser import chromium, logged_in

    with chromium() as browser:
        page = logged_in(browser, web, "wall", "viewer")
        page.clock.install()
        page.goto("/wall")
        page.wait_for_selector("#link[data-link=ok]")
        assert page.locator("nav, form, button").count() == 0
        assert page.inner_text("#clock")
        assert page.is_hidden("#old")

        page.context.set_offline(True)
        page.clock.run_for(45_000)
        page.wait_for_selector("#old:visible")
        assert page.locator("#needs .row").count() == 1, "what was known stays"

        page.context.set_offline(False)
        with page.expect_navigation():
            page.clock.run_for(12_000)
        page.wait_for_selector("#link[data-link=ok]")
        assert page.is_hidden("#old")

        page.context.clear_cookies()
        with page.expect_navigation():
            page.clock.fast_forward(3_620_000)
        assert page.url.endswith("/login?to=%2Fwall")


def test_no_secret_in_an_address_opens_the_wall(web: Web) -> None:
    kim = web.core.client.post("/v1/users", {"name": "screens", "role": "viewer"})
    assert kim["link"]
    given = {"user": "screens", "role": "viewer", "about": "a screen", "days": 9}
    made = web.core.client.post("/v1/tokens", given)
    for name in ("token", "key", "access_token"):
        assert ask(web, f"/wall?{name}={made['token']}").status == 303
