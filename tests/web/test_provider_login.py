"""Logging in by a provider as a browser sees it: cookies, redirects, words; one real Chromium."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

import pytest

from monitord.control import CoreSaysNoError
from tests.api.cores import FakeCore
from tests.web.browser import chromium
from tests.web.conftest import Answer, Web
from tests.web.test_console import ask, csrf_of
from tests.world.provider import SECRET, Provider

BACK = "/login/oidc/back"
KIM = {"sub": "1", "preferred_username": "kim", "groups": ["ops"]}


@pytest.fixture(scope="module")
def peer() -> Iterator[Provider]:
    with Provider("localhost") as provider:  # another site than 127.0.0.1, as in life
        yield provider


@pytest.fixture(scope="module")
def house(peer: Provider) -> Iterator[Web]:
    core = FakeCore()
    secret = core.folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    web = Web(core)
    address = f"http://127.0.0.1:{web.port}"
    peer.backs.add(address + BACK)
    told = {"issuer": peer.issuer, "secret": str(secret), "web": address}
    (core.state / "oidc.json").write_text(json.dumps(told))
    with core, web:
        yield web


def get(port: int, path: str, cookie: str = "", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    given = {"Cookie": cookie, **{name.replace("_", "-"): it for name, it in headers.items()}}
    try:
        connection.request("GET", path, headers=given)
        answer = connection.getresponse()
        # `http.client` joins nothing: of Set-Cookie all are looked at.
        found = {name.lower(): value for name, value in answer.getheaders()}
        found["set-cookie"] = "\n".join(answer.headers.get_all("set-cookie", []))
        return Answer(answer.status, answer.read(), found)
    finally:
        connection.close()


def cookie_of(answer: Answer, name: str) -> str:
    found = re.search(rf"^{name}=([^;]+)", answer.headers["set-cookie"], re.MULTILINE)
    assert found is not None, answer.headers
    return f"{name}={found[1]}"


def gone(web: Web, peer: Provider, to: str = "/") -> tuple[str, str]:
    """Begin, and go to the provider: gives the browser's cookie and where it is sent back to."""
    sent = get(web.port, f"/login/oidc?{urlencode({'to': to})}")
    assert (sent.status, sent.headers["location"].split("?")[0]) == (
        303,
        f"{peer.issuer}/authorize",
    )
    there = urlsplit(sent.headers["location"])
    assert there.port is not None
    location = get(there.port, f"{there.path}?{there.query}").headers["location"]
    parts = urlsplit(location)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" in peer.backs
    return cookie_of(sent, "monitord-login"), f"{parts.path}?{parts.query}"


def test_the_way_there_and_back_leads_in_and_out_again(house: Web, peer: Provider) -> None:
    page = ask(house, "/login?to=/incidents/1")
    assert b'href="/login/oidc?to=/incidents/1">Log in with the house&#39;s</a>' in page.body
    cookie, back = gone(house, peer, "/incidents/1")
    entered = get(house.port, back, cookie, Sec_Fetch_Site="cross-site")
    assert (entered.status, entered.headers["location"]) == (303, "/incidents/1")
    flow = SimpleCookie(entered.headers["set-cookie"].replace("\n", "; "))
    assert flow["monitord-login"].value == ""  # spent
    session = cookie_of(entered, "monitord")
    assert "HttpOnly" in entered.headers["set-cookie"]
    secret = session.partition("=")[2]
    me = house.core.client.on_behalf(secret).get("/v1/me")
    assert (me["name"], me["role"]) == ("kim", "operator")
    out = ask(house, "/do/logout", {"csrf": csrf_of(ask(house, "/", cookie=secret))}, secret)
    assert out.headers["location"] == "/login?left=1"
    left = ask(house, out.headers["location"])
    address = f"{peer.issuer}/leave?from=here&amp;client_id=monitord&amp;post_logout_redirect_uri="
    assert address.encode() in left.body


def test_a_return_without_its_cookie_or_with_anothers_logs_nobody_in(
    house: Web, peer: Provider
) -> None:
    """Login CSRF: somebody sends a victim their own way back."""
    cookie, back = gone(house, peer)
    other, _ = gone(house, peer)
    for held in (
        "",
        other,
        "monitord-login=x",
        "monitord-login=|//evil",
        cookie.replace(".", ".x"),
    ):
        answer = get(house.port, back, held)
        assert (answer.status, "monitord=" in answer.headers["set-cookie"]) == (401, False), held
        assert b"not begun in this browser" in answer.body
    assert get(house.port, back, cookie).status == 303
    again = get(house.port, back, cookie)
    assert (again.status, b"used before" in again.body) == (401, True)


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "é" * 2000,
    ],
)
def test_it_leads_back_to_no_other_site(house: Web, peer: Provider, to: str) -> None:
    cookie, back = gone(house, peer, to)
    entered = get(house.port, back, cookie)
    assert (entered.status, entered.headers["location"]) == (303, "/")


def test_another_site_begins_no_login_and_its_words_are_on_no_page(house: Web) -> None:
    shown = get(house.port, "/login/oidc", Sec_Fetch_Site="cross-site")
    assert (shown.status, shown.headers["set-cookie"]) == (200, "")
    for query in ("error=call+555", "error=access_denied&error_description=call+555", "state=555"):
        answer = get(house.port, f"{BACK}?{query}")
        assert (answer.status, b"555" in answer.body) == (401, False)
        assert b'name="password"' in answer.body  # the other way in stays


def test_words_of_the_provider_are_text_and_a_group_that_is_none_is_said(
    house: Web, peer: Provider
) -> None:
    for person, told in (
        ({**KIM, "sub": "2", "groups": ["<script>"]}, b"none of your groups may come in"),
        ({**KIM, "sub": "3", "preferred_username": "<b>x"}, b"cannot be a user&#39;s name here"),
        ({**KIM, "sub": "4"}, b"another user kim"),
    ):
        peer.person = person
        cookie, back = gone(house, peer)
        answer = get(house.port, back, cookie)
        assert (answer.status, told in answer.body) == (401, True), answer.body
        assert b"<script>" not in answer.body
    peer.person = KIM


def test_an_admin_hands_a_user_over_to_the_provider_and_takes_them_back(house: Web) -> None:
    core = house.core.client
    core.post("/v1/users", {"name": "lee", "role": "admin"})
    user = core.post("/v1/users/lee", {"provider": True})["user"]
    assert (user["provider"], user["password"]) == (True, False)
    for again in ({"provider": True}, {"role": "viewer"}):
        with pytest.raises(CoreSaysNoError) as refused:
            core.post("/v1/users/lee", again)
        assert refused.value.status == 409
    assert core.post("/v1/users", {"name": "lee"})["user"]["provider"] is False
    listed = {one["name"]: one["provider"] for one in core.get("/v1/users")["users"]}
    assert listed["lee"] is False


def test_a_browser_comes_in_over_another_site(house: Web, peer: Provider) -> None:
    peer.person = None
    with chromium() as browser:
        page = browser.new_context(base_url=f"http://127.0.0.1:{house.port}").new_page()
        page.goto("/more")
        page.click("a.button.main")
        page.click("text=Come in as Kim")
        page.wait_for_url("**/more")
        assert "kim" in page.inner_text("header")
        page.context.clear_cookies(name="monitord-login")
        cookies = {one["name"]: one for one in page.context.cookies()}
        assert cookies["monitord"]["httpOnly"]
