"""The pages of users, sessions, tokens and passwords: a secret is shown once, to whom it is for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.web.browser import WORDS
from tests.web.conftest import Answer, Web
from tests.web.test_console import ask, csrf_of, session


@pytest.fixture(scope="module")
def admin(shared_web: Web) -> str:
    return session(shared_web, "ada", "admin")


def do(web: Web, cookie: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
    word = csrf_of(ask(web, "/me", cookie=cookie))
    return ask(web, path, {**(form or {}), "csrf": word}, cookie)


def shown(pattern: str, page: Answer) -> str:
    found = re.search(pattern, page.body.decode())
    assert found is not None, page.body
    return found[1]


def test_a_new_users_link_is_shown_once_and_sets_a_password(web: Web, admin: str) -> None:
    made = do(web, admin, "/do/users", {"name": "ben", "role": "responder"})
    path = "/" + shown(r"<code>(http\S+/welcome/\S+)</code>", made).split("/", 3)[3]
    assert made.headers["cache-control"] == "no-store"
    assert b"/welcome/" not in ask(web, "/users", cookie=admin).body
    assert ask(web, path, {"password": WORDS, "again": WORDS}).status == 303
    assert b"may log in" in ask(web, "/users", cookie=admin).body
    again = do(web, admin, "/do/users", {"name": "ben", "role": "admin"})
    assert (again.status, b"there is a user ben already" in again.body) == (409, True)


def test_a_role_holds_at_once_and_a_lock_ends_what_is_open(web: Web, admin: str) -> None:
    cookie = session(web, "cal", "viewer")
    assert ask(web, "/maintenance/preview?verb=ack", cookie=cookie).status == 403
    assert do(web, admin, "/do/users/cal/role", {"role": "operator"}).status == 303
    assert do(web, cookie, "/do/mute", {}).status == 400  # who asks for a deed is asked for anew
    assert do(web, admin, "/do/users/cal/lock", {"out": "1"}).status == 303
    assert b"locked out</b> by ada" in ask(web, "/users", cookie=admin).body
    assert ask(web, "/do/tokens", {}, cookie).status == 401
    assert do(web, admin, "/do/users/cal/lock", {"out": "0"}).status == 303
    assert b"locked out</b> by ada" not in ask(web, "/users", cookie=admin).body


def test_nobody_locks_themselves_out(web: Web, admin: str) -> None:
    refused = do(web, admin, "/do/users/ada/lock", {"out": "1"})
    assert (refused.status, b"ask another admin" in refused.body) == (409, True)
    assert b"/do/users/ada/lock" not in ask(web, "/users", cookie=admin).body


def test_a_token_of_ones_own_is_shown_once_and_ended(web: Web, admin: str) -> None:
    cookie = session(web, "dee", "responder")
    form = {"about": "grafana", "role": "viewer", "days": "90"}
    made = do(web, cookie, "/do/tokens", form)
    secret = shown(r"<code>(mdt_\S+)</code>", made)
    assert web.core.client.on_behalf(secret).get("/v1/me")["role"] == "viewer"
    page = ask(web, "/me", cookie=cookie)
    assert secret.encode() not in page.body
    assert b"grafana" in page.body
    assert b"grafana" in ask(web, "/users", cookie=admin).body
    number = shown(r"End token (\d+) of dee", page)
    assert do(web, session(web, "eve", "operator"), f"/do/credentials/{number}/end").status == 404
    assert do(web, cookie, f"/do/credentials/{number}/end").status == 303
    assert b"grafana" not in ask(web, "/me", cookie=cookie).body
    for days in ("", "soon", "99999", "-1"):
        assert do(web, cookie, "/do/tokens", {**form, "days": days}).status == 400
    assert do(web, cookie, "/do/tokens", {**form, "days": "401"}).status == 409


def test_another_password_needs_the_one_that_holds(web: Web) -> None:
    cookie = session(web, "fay", "viewer")
    wrong = do(web, cookie, "/do/me/password", {"password": "what was it again"})
    assert (wrong.status, b"or another password" in wrong.body) == (409, True)
    led = do(web, cookie, "/do/me/password", {"password": WORDS})
    assert led.status == 303
    other = "other words that are strange"
    assert ask(web, led.headers["location"], {"password": other, "again": other}).status == 303
    assert ask(web, "/do/tokens", {}, cookie).status == 401
    assert ask(web, "/login", {"name": "fay", "password": other}).status == 303
