"""The console over HTTP: who is let in, what a form must hold, what a stranger learns."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from tests.web.browser import WORDS, link_of
from tests.web.conftest import Answer, Web


def ask(
    web: Web,
    path: str,
    form: Mapping[str, str] | None = None,
    cookie: str = "",
    **headers: str,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    given = {"Accept": "text/html", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if cookie:
        given["Cookie"] = f"monitord={cookie}"
    if form is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        body = None if form is None else urlencode(form)
        connection.request("GET" if form is None else "POST", path, body, given)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, answer.read(), found)
    finally:
        connection.close()


def session(web: Web, name: str, role: str) -> str:
    answer = ask(web, link_of(web, name, role), {"password": WORDS, "again": WORDS})
    assert answer.status == 303
    found = re.search(r"monitord=([^;]+)", answer.headers["set-cookie"])
    assert found is not None
    return found[1]


def csrf_of(page: Answer) -> str:
    found = re.search(rb'name="csrf" value="(\w+)"', page.body)
    assert found is not None
    return found[1].decode()


def test_whoever_is_not_logged_in_sees_the_form_and_nothing_else(web: Web) -> None:
    sent = ask(web, "/incidents/1?x=1")
    assert (sent.status, sent.headers["location"]) == (303, "/login?to=%2Fincidents%2F1%3Fx%3D1")
    assert ask(web, "/live", Accept="text/event-stream").status == 401
    assert ask(web, "/do/ack", {"selector": "*"}).status == 401
    page = ask(web, "/login")
    assert b"web1" not in page.body
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


def test_a_login_leads_back_but_never_to_another_site(web: Web) -> None:
    session(web, "lee", "viewer")
    for to, led in (
        ("/incidents/1", "/incidents/1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        answer = ask(web, f"/login?{urlencode({'to': to})}", {"name": "lee", "password": WORDS})
        assert (answer.status, answer.headers["location"]) == (303, led)
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]
    wrong = ask(web, "/login", {"name": "lee", "password": "wrong"})
    assert (wrong.status, "set-cookie" in wrong.headers) == (401, False)
    assert b"no such user, or another password" in wrong.body


def test_without_a_provider_there_is_no_button_and_no_way(web: Web) -> None:
    assert b"/login/oidc" not in ask(web, "/login").body
    for path in ("/login/oidc", "/login/oidc/back?code=x&state=y"):
        answer = ask(web, path, Cookie="monitord-login=1.x|/")
        assert (answer.status, b"no login provider is configured" in answer.body) == (409, True)


def test_a_form_of_another_session_does_nothing(web: Web) -> None:
    mine, other = session(web, "ann", "operator"), session(web, "bob", "operator")
    word = csrf_of(ask(web, "/", cookie=mine))
    form = {"selector": "web1/site", "reason": "looking", "for": "1h"}
    for csrf, cookie in (("", mine), ("x", mine), (word, other)):
        assert ask(web, "/do/ack", {**form, "csrf": csrf}, cookie).status == 400
    assert web.core.calls("ack") == []
    done = ask(web, "/do/ack?to=/incidents/1", {**form, "csrf": word}, mine)
    assert (done.status, done.headers["location"]) == (303, "/incidents/1")
    assert web.core.calls("ack")[0]["by"] == "ann"


@pytest.mark.parametrize(
    ("role", "verb", "status"),
    [
        ("viewer", "ack", 403),
        ("responder", "ack", 303),
        ("responder", "mute", 403),
        ("operator", "mute", 303),
    ],
)
def test_a_page_does_what_the_role_may(web: Web, role: str, verb: str, status: int) -> None:
    cookie = session(web, f"{role}-{verb}", role)
    word = csrf_of(ask(web, "/", cookie=cookie))
    form = {"selector": "web1/site", "reason": "looking", "for": "1h", "csrf": word}
    assert ask(web, f"/do/{verb}", form, cookie).status == status
    assert len(web.core.calls(verb)) == (status == 303)


def test_what_a_form_lacks_is_said_and_nothing_is_done(web: Web) -> None:
    cookie = session(web, "cat", "operator")
    form = {"csrf": csrf_of(ask(web, "/", cookie=cookie)), "selector": "web1/site"}
    for more, said in (
        ({"for": "soon", "reason": "x"}, b"is no length of time; write 30m, 2h or 1d"),
        ({"for": "1h"}, b"reason"),
        ({"for": "9999d", "reason": "x"}, b"over 400 days"),
    ):
        answer = ask(web, "/do/ack", {**form, **more}, cookie)
        assert (answer.status, said in answer.body) == (400, True), answer.body
    assert web.core.calls("ack") == []


def test_what_a_target_says_is_shown_and_never_obeyed(web: Web) -> None:
    cookie = session(web, "dan", "viewer")
    for path in ("/", "/incidents/1", "/hosts/web1"):
        body = ask(web, path, cookie=cookie).body.decode()
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", body)
        assert "<script>" not in body
    assert ask(web, "/hosts/%3Cscript%3E", cookie=cookie).status in (200, 400, 404)
    assert b"<script>" not in ask(web, "/hosts/%3Cscript%3E", cookie=cookie).body


def test_passwords_cannot_be_tried_without_end(web: Web) -> None:
    tried = [ask(web, "/login", {"name": "nobody", "password": "x"}).status for _ in range(25)]
    assert tried[-1] == 429


@pytest.mark.parametrize("cookie", [r'"\240"', r'"\040"', r'"\012"', '""', "x" * 201])
def test_a_cookie_that_can_be_no_secret_is_nobodys(web: Web, cookie: str) -> None:
    assert ask(web, "/", cookie=cookie).status == 303
    assert ask(web, f"/incidents/{'9' * 5000}", cookie=cookie).status == 404


def test_an_address_with_nothing_leads_on(web: Web) -> None:
    page = ask(web, "/no/such/page", Accept="text/html")
    assert (page.status, b'<a href="/">Now</a>' in page.body) == (404, True)
    assert ask(web, "/no/such/page", Accept="*/*").body == b"no such page\n"
    assert ask(web, "/static/none.css").status == 404
