"""The page for end users: who sees it, what it says, what it never says, what may be told there."""

from __future__ import annotations

import re

from tests.web.conftest import Web
from tests.web.test_console import ask, session

INTERNAL = (
    "web1", "db1", "site", "nightly", "disk", "evil", "kim", "nginx", "monitord",
    "no answer", "monitord.yaml", "shop:", "incident",
)  # fmt: skip


def test_whoever_comes_sees_plain_words_and_nothing_internal(web: Web) -> None:
    page = ask(web, "/status")
    text = page.body.decode()
    assert page.status == 200
    for said in ("The online shop", "does not work", "Mail at night", "is not known just now"):
        assert said in text
    assert text.count('<li class="d-') == 180
    for word in INTERNAL:
        assert word not in text.replace("/static/status", ""), word
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


def test_what_somebody_tells_joins_the_outage_and_opens_nothing(web: Web) -> None:
    cookie = session(web, "sta", "viewer")
    form = {"service": "The online shop", "text": "\u202ebasket <b>empty</b>\x1b[31m\nTOP"}
    done = ask(web, "/status/report", form)
    assert (done.status, done.headers["location"]) == (303, "/status?told=1")
    assert b"Thank you" in ask(web, "/status?told=1").body
    there = ask(web, "/incidents/1", cookie=cookie).body.decode()
    assert "an end user of shop reports: " in there
    assert "&lt;b&gt;empty" in there
    assert "\u202e" not in there
    told = ask(web, "/status/reports", cookie=cookie).body.decode()
    assert re.search(r"basket.*incident 1", told.replace("\n", " "))
    assert ask(web, "/status/report", {**form, "service": "Mail at night"}).status == 303
    assert "none was open" in ask(web, "/status/reports", cookie=cookie).body.decode()
    assert len(web.core.client.get("/v1/incidents")["incidents"]) == 1


def test_what_is_no_report_is_refused_and_nobody_tells_without_end(web: Web) -> None:
    form = {"service": "The online shop", "text": "again"}
    assert ask(web, "/status/report", {**form, "text": " "}).status == 400
    assert ask(web, "/status/report", form, Sec_Fetch_Site="cross-site").status == 403
    assert ask(web, "/status/report", {**form, "text": "x" * 70_000}).status == 413
    assert ask(web, "/status/report", {**form, "service": "web1"}).status == 404
    for _ in range(5):
        last = ask(web, "/status/report", form)
    assert (last.status, b"wait ten minutes" in last.body) == (429, True)


def test_a_private_page_is_for_whoever_is_logged_in(lone_web: Web) -> None:
    (lone_web.core.state / "private").touch()
    lone_web.core.client.post("/v1/reload", {})
    sent = ask(lone_web, "/status")
    assert (sent.status, sent.headers["location"]) == (303, "/login?to=%2Fstatus")
    assert ask(lone_web, "/status/report", {"text": "x"}).status == 401
    cookie = session(lone_web, "viv", "viewer")
    assert b"The online shop" in ask(lone_web, "/status", cookie=cookie).body
