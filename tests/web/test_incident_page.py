"""The page of an incident: what it tells, and what people do there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from monitord.control import Core
from monitord.web.console.asked import Asked
from monitord.web.console.board import Board
from monitord.web.console.incident import incident
from monitord.web.console.render import environment
from tests.web.conftest import Web
from tests.web.test_console import ask, csrf_of, session

DO = "/do/incidents/1"


@pytest.fixture(scope="module")
def cookie(shared_web: Web) -> str:
    return session(shared_web, "opal", "operator")


def do(web: Web, cookie: str, path: str, **form: str) -> Any:
    word = csrf_of(ask(web, "/", cookie=cookie))
    return ask(web, f"{path}?to=/incidents/1", {**form, "csrf": word}, cookie)


def test_it_tells_what_the_ticket_tells(web: Web, cookie: str) -> None:
    body = ask(web, "/incidents/1", cookie=cookie).body.decode()
    for said in (
        "I have stopped, it is yours.",
        "monitord explain web1/site",
        "looks only",
        "customers see an error",
        "ran 3 min ago",
        "systemctl restart nginx",
        "/incidents/1/review",
        'action="/plan/web1/site"',
        "Call the next",
    ):
        assert said in body
    assert body.count("What it means") == 1


@pytest.mark.parametrize(
    ("path", "form", "call", "facts"),
    [
        ("/next", {"reason": "no answer"}, "next", {"reason": "no answer"}),
        (
            "/pause",
            {"reason": "theirs", "vendor": "acme", "for": "2h"},
            "pause",
            {"reason": "theirs", "vendor": "acme"},
        ),
        ("/resume", {}, "unpause", {}),
        ("/answered", {"vendor": "acme"}, "answered", {"vendor": "acme"}),
        (
            "/deadline",
            {"reason": "month end", "whose": "zoo", "in": "4h"},
            "deadline",
            {"reason": "month end", "whose": "zoo"},
        ),
    ],
)
def test_a_deed_goes_to_the_core_in_the_persons_name(
    web: Web, cookie: str, path: str, form: dict[str, str], call: str, facts: dict[str, str]
) -> None:
    done = do(web, cookie, f"{DO}{path}", **form)
    assert (done.status, done.headers["location"]) == (303, "/incidents/1")
    (told,) = web.core.calls(call)
    assert told["by"] == "opal"
    assert facts.items() <= told.items()


def test_a_deadline_without_a_time_takes_it_away(web: Web, cookie: str) -> None:
    assert do(web, cookie, f"{DO}/deadline", reason="withdrawn").status == 303
    assert web.core.calls("deadline")[0]["at"] is None


def test_a_repair_is_shown_before_it_is_asked_for(web: Web, cookie: str) -> None:
    page = ask(web, "/plan/web1/site?runbook=restart-nginx&to=/incidents/1", cookie=cookie)
    for said in (b"systemctl restart", b"Nothing has been done yet", b"Guards hold for people"):
        assert said in page.body
    assert b"Start it in my name" not in page.body  # a guard refuses
    assert [call["dry_run"] for call in web.core.calls("remediate")] == [True]
    done = do(web, cookie, "/do/remediate", key="web1/site", runbook="restart-nginx")
    assert done.status == 303
    assert web.core.calls("remediate")[-1]["dry_run"] is False


def test_a_repair_is_called_wrong(web: Web, cookie: str) -> None:
    done = do(web, cookie, "/do/attempts/1/wrong", reason="it was the disk")
    assert b"restart-nginx%20has%20no%20undo" in done.headers["set-cookie"].encode()
    assert web.core.calls("wrong")[0]["reason"] == "it was the disk"


def test_a_review_is_shown_as_text_and_kept_as_a_file(web: Web, cookie: str) -> None:
    assert b"# Review of incident 1" in ask(web, "/incidents/1/review", cookie=cookie).body
    file = ask(web, "/incidents/1/review.md", cookie=cookie)
    assert file.body.startswith(b"# Review of incident 1")
    assert file.headers["content-disposition"] == 'attachment; filename="incident-1.md"'
    assert file.headers["content-type"].startswith("text/markdown")


def test_a_ticket_of_every_kind_of_fact_is_told() -> None:
    at = "2026-11-27T12:00:00Z"
    clock = {
        "sla": "gold",
        "whose": "",
        "promise": "respond",
        "allowed": "15m",
        "due": at,
        "left": "5m",
        "broken": False,
        "met": False,
        "paused": "",
        "goes_on": None,
    }
    one = {
        "says": "It is yours.",
        "handed_over": {"tier": "L2", "lines": ["L2 now: no answer"]},
        "means": "",
        "by_hand": "",
        "services": [],
        "clocks": [clock, {**clock, "broken": True, "left": None}],
        "next_command": "",
        "next_risk": "",
        "coming": [],
        "changed": {
            "since": at,
            "rows": [{"at": at, "kind": "package", "who": "kim", "text": "nginx", "before": True}],
            "unread": ["sudo"],
        },
        "similar": [{"incident": 7, "at": at, "ended": "fixed", "cure": "a <b>", "by": "kim"}],
        "problem": {"id": 3, "status": "KNOWN", "title": "disk", "cause": "old", "cure": "swap"},
        "vendors": [
            {
                "name": "acme",
                "contract": "A-1",
                "contact": "call",
                "respond": "4h",
                "resolve": "",
                "holds": True,
            }
        ],
        "parts": [{"incident": 9, "check": "web2/site", "rule": "r", "summary": "down"}],
        "refused": [],
        "evidence": [{"title": "journal", "text": "\x1b[1m<b>"}],
    }
    page = environment().get_template("ticket_part.html").render(one=one)
    for said in (
        "L2 now: no answer",
        "gold: respond within 15m: <b>5m</b> left",
        '<b class="hot">broken</b>',
        "nginx <small>kim</small>",
        "In the day before (1)",
        "not told: sudo",
        "incident 7</a>",
        "cure: a &lt;b&gt;",
        "cure: swap",
        "acme</b> holds it: call, contract A-1, answers within 4h",
        "web2/site",
        "\\x1b[1m&lt;b&gt;",
    ):
        assert said in page


class _Over(Core):
    """The core of the test, in which the incident is over."""

    def get(self, route: str, **query: Any) -> Any:
        found = super().get(route, **query)
        if route == "/v1/incidents/1":
            return {**found, "status": "RESOLVED", "resolved": "2026-11-27T13:30:40Z"}
        return found


@pytest.mark.parametrize(("role", "offered"), [("operator", True), ("responder", False)])
def test_what_is_over_can_be_corrected_by_who_may(web: Web, role: str, offered: bool) -> None:
    secret = session(web, f"over-{role}", role)
    core, pages = _Over(web.core.socket, timeout=10, secret=secret), environment()
    scope = {"type": "http", "path": "/incidents/1", "query_string": b"", "headers": []}
    request = Request({**scope, "path_params": {"id": 1}, "method": "GET"})
    me = web.core.client.on_behalf(secret).get("/v1/me")
    asked = Asked(request, core, me, secret, pages, Board(core, pages))
    page = bytes(asyncio.run(incident(asked)).body).decode()
    assert ('action="/do/corrections?to=/incidents/1"' in page) is offered
    assert ('name="to" value="2026-11-27T13:30"' in page) is offered
    assert ('<option value="web1/site">' in page) is offered
