"""The pages of the configuration: where a value is written, and no reload but the one shown."""

from __future__ import annotations

import re

import pytest

from tests.web.conftest import Web
from tests.web.test_console import ask, csrf_of, session


@pytest.fixture(scope="module")
def admin(shared_web: Web) -> str:
    return session(shared_web, "con", "admin")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "nobody will be woken"),
        ("?key=web1/site", "<code>monitord.yaml:8</code>"),
        ("?key=shop", "<code>monitord.yaml:40</code>"),
        ("?key=web1", "/configuration?key=web1/disk"),
    ],
)
def test_what_holds_is_told_with_the_line_that_says_so(
    web: Web, admin: str, query: str, said: str
) -> None:
    assert said in ask(web, f"/configuration{query}", cookie=admin).body.decode()


def test_what_there_is_not_is_said(web: Web, admin: str) -> None:
    for key in ("nobody", "web1/none", "..%2F..", "%3Cscript%3E"):
        assert ask(web, f"/configuration?key={key}", cookie=admin).status == 404, key


def test_a_reload_is_shown_first_and_only_what_was_shown_is_done(web: Web, admin: str) -> None:
    page = ask(web, "/configuration/plan", cookie=admin)
    assert b"added: web1/load" in page.body
    seal = re.search(rb'name="seal" value="(\w{64})"', page.body)
    assert seal is not None
    form = {"csrf": csrf_of(page), "seal": "0" * 64}
    other = ask(web, "/do/reload", form, admin)
    assert b"others than those that you were shown" in other.body
    assert web.core.calls("reload") == []
    done = ask(web, "/do/reload?to=/configuration", {**form, "seal": seal[1].decode()}, admin)
    assert (done.status, done.headers["location"]) == (303, "/configuration")
    assert web.core.calls("reload")[0]["by"] == "con"


def test_mistakes_are_told_with_their_lines_and_nothing_can_be_done(web: Web, admin: str) -> None:
    broken = web.core.state / "broken"
    broken.touch()
    try:
        page = ask(web, "/configuration/plan", cookie=admin).body
        refused = ask(web, "/do/reload", {"csrf": csrf_of(ask(web, "/", cookie=admin))}, admin)
    finally:
        broken.unlink()
    assert b"monitord.yaml:3" in page
    assert b"The files have 1 mistake;" in page
    assert b"/do/reload" not in page
    assert (refused.status, web.core.calls("reload")) == (422, [])
