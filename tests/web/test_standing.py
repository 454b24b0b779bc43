"""The pages of services, runbooks and problems, and what people say there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from tests.web.conftest import Web
from tests.web.test_console import ask, csrf_of, session


@pytest.fixture(scope="module")
def cookie(shared_web: Web) -> str:
    return session(shared_web, "stan", "admin")


@pytest.mark.parametrize(
    ("path", "all_of"),
    [
        ("/services", ("shop", "DOWN", "missed by", "P3 1", "jobs", "it was not judged yet")),
        (
            "/services/shop",
            ("0 % of the agreed time", "99.9 % is promised", "down_when: site", "/incidents/1"),
        ),
        ("/runbooks", ("restart-nginx", "approve", "may rise to auto", "0 of 0")),
        (
            "/runbooks/restart-nginx",
            ("Tried 24 times", "proved 23", "79.8 % and 99.3 %", "Let it be auto", "web1/api"),
        ),
        ("/problems", ("web1/disk", "OPEN", "3 incidents")),
        ("/problems/1", ("Its cause is known", "Its cause is gone", "problem 1")),
    ],
)
def test_a_page_tells(web: Web, cookie: str, path: str, all_of: tuple[str, ...]) -> None:
    body = ask(web, path, cookie=cookie).body.decode()
    assert [said for said in all_of if said not in body] == []
    assert "\x1b" not in body


def test_what_there_is_not_is_said(web: Web, cookie: str) -> None:
    for path in ("/services/none", "/runbooks/none", "/problems/99"):
        assert ask(web, path, cookie=cookie).status == 404
    sent = ask(web, "/checks/shop", cookie=cookie)
    assert (sent.status, sent.headers["location"]) == (303, "/services/shop")


def test_only_an_admin_is_offered_to_promote(web: Web, cookie: str) -> None:
    operator = session(web, "stan-operator", "operator")
    body = ask(web, "/runbooks/restart-nginx", cookie=operator).body
    assert (b"/do/promote" in body, b"An admin may promote it" in body) == (False, True)
    done = do(web, cookie, "/do/promote", {"runbook": "restart-nginx", "reason": "it holds"})
    assert done == 303
    (told,) = web.core.calls("promote")
    assert (told["by"], told["reason"]) == ("stan", "it holds")


def test_a_problem_is_known_and_then_closed(web: Web, cookie: str) -> None:
    known = {"cause": "the disk is too small", "cure": "a larger one"}
    assert do(web, cookie, "/do/problems/1/known", known) == 303
    body = ask(web, "/problems/1", cookie=cookie).body.decode()
    assert "Cause: the disk is too small" in body
    assert "Cure: a larger one" in body
    assert do(web, cookie, "/do/problems/1/close", {"reason": "replaced"}) == 303
    assert b"closed by stan" in ask(web, "/problems/1", cookie=cookie).body
    assert b"web1/disk" not in ask(web, "/problems", cookie=cookie).body
    assert b"web1/disk" in ask(web, "/problems?all=1", cookie=cookie).body


def do(web: Web, cookie: str, path: str, form: Mapping[str, str]) -> int:
    word = csrf_of(ask(web, "/", cookie=cookie))
    return ask(web, path, {**form, "csrf": word}, cookie).status


def test_a_time_is_corrected_with_the_yes_of_another(web: Web, cookie: str) -> None:
    page = ask(web, "/services/shop", cookie=cookie).body.decode()
    assert "from (UTC)" in page
    now = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0)
    said = {
        "about": "shop",
        "from": now.strftime("%Y-%m-%dT%H:%M"),
        "to": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M"),
        "as": "up",
        "reason": "seen by hand",
        "approved_by": "kim",
    }
    refused = {**said, "approved_by": "stan"}
    assert do(web, cookie, "/do/corrections", refused) in (404, 409)
    assert do(web, cookie, "/do/corrections", {**said, "from": "soon"}) == 400
    assert do(web, cookie, "/do/corrections", said) == 303
    page = ask(web, "/services/shop", cookie=cookie).body.decode()
    assert "seen by hand" in page
    number = re.search(r"/do/corrections/(\d+)/revoke", page)
    assert number is not None
    assert do(web, cookie, number[0], {"reason": "wrong day"}) == 303
    viewer = session(web, "stan-viewer", "viewer")
    assert b"/do/corrections" not in ask(web, "/services/shop", cookie=viewer).body
