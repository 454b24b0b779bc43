"""Everything that monitord-web shows or does, with every role: who may not is refused.

A page, a deed or a route that is missing here fails: add it with the least role that may.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitord.api.app import ROUTES
from monitord.api.routes import Route
from monitord.control import Core
from monitord.model.account import Role
from monitord.web.console.app import Console
from monitord.web.console.doing import DOING
from monitord.web.console.pages import PAGES
from tests.web.conftest import Answer, Web
from tests.web.test_api import ask as ask_api
from tests.web.test_console import ask, csrf_of, session

ORDER = ("viewer", "responder", "operator", "admin")
OF_RIGHT = {"read": "viewer", "respond": "responder", "operate": "operator", "admin": "admin"}
NOBODYS = {"ping", "link", "login"}  # rights of processes

PAGE_ROLES: Mapping[tuple[str, str], str] = {
    ("GET", "/"): "viewer",
    ("GET", "/wall"): "viewer",
    ("GET", "/more"): "viewer",
    ("GET", "/reports"): "viewer",
    ("GET", "/reports/{month}"): "viewer",
    ("GET", "/reports/{month}/csv"): "viewer",
    ("GET", "/reports/{month}/account/{service}"): "viewer",
    ("GET", "/status/reports"): "viewer",
    ("GET", "/configuration"): "viewer",
    ("GET", "/configuration/plan"): "admin",
    ("POST", "/do/reload"): "admin",
    ("GET", "/audit"): "viewer",
    ("GET", "/audit/verify"): "admin",
    ("GET", "/users"): "admin",
    ("GET", "/me"): "viewer",
    ("POST", "/do/users"): "admin",
    ("POST", "/do/users/{name}/link"): "admin",
    ("POST", "/do/users/{name}/role"): "admin",
    ("POST", "/do/users/{name}/lock"): "admin",
    ("POST", "/do/tokens"): "viewer",
    ("POST", "/do/credentials/{id:int}/end"): "viewer",
    ("POST", "/do/me/password"): "viewer",
    ("GET", "/incidents/{id:int}"): "viewer",
    ("GET", "/incidents/{id:int}/review"): "viewer",
    ("GET", "/incidents/{id:int}/review.md"): "viewer",
    ("GET", "/plan/{key:path}"): "operator",
    ("POST", "/do/remediate"): "operator",
    ("POST", "/do/incidents/{id:int}/next"): "responder",
    ("POST", "/do/incidents/{id:int}/pause"): "operator",
    ("POST", "/do/incidents/{id:int}/resume"): "operator",
    ("POST", "/do/incidents/{id:int}/answered"): "responder",
    ("POST", "/do/incidents/{id:int}/deadline"): "operator",
    ("POST", "/do/attempts/{id:int}/wrong"): "responder",
    ("GET", "/chains"): "viewer",
    ("GET", "/chains/{host}/{name}"): "viewer",
    ("GET", "/chains/{host}/{name}/{deed}"): "operator",
    ("POST", "/do/chains/{host}/{name}/{deed}"): "operator",
    ("GET", "/services"): "viewer",
    ("GET", "/services/{service}"): "viewer",
    ("POST", "/do/corrections"): "operator",
    ("POST", "/do/corrections/{id:int}/revoke"): "operator",
    ("GET", "/runbooks"): "viewer",
    ("GET", "/runbooks/{runbook}"): "viewer",
    ("POST", "/do/promote"): "admin",
    ("GET", "/problems"): "viewer",
    ("GET", "/problems/{id:int}"): "viewer",
    ("POST", "/do/problems/{id:int}/known"): "responder",
    ("POST", "/do/problems/{id:int}/close"): "operator",
    ("GET", "/checks/{key:path}"): "viewer",
    ("GET", "/data/history/{key:path}"): "viewer",
    ("GET", "/hosts/{name}"): "viewer",
    ("GET", "/incidents"): "viewer",
    ("GET", "/tickets"): "viewer",
    ("GET", "/tickets/{id:int}"): "viewer",
    ("GET", "/maintenance"): "viewer",
    ("GET", "/maintenance/preview"): "responder",
    ("POST", "/do/maintenance"): "operator",
    ("GET", "/oncall"): "viewer",
    ("POST", "/do/oncall/take"): "responder",
    ("POST", "/do/oncall/override"): "operator",
    ("POST", "/do/oncall/{id:int}/{word}"): "responder",
    ("GET", "/handover"): "viewer",
    ("POST", "/do/handover"): "responder",
    ("POST", "/do/resume"): "responder",
    ("POST", "/do/run-check"): "responder",
    ("POST", "/do/logout"): "viewer",
    ("POST", "/do/incidents/{id:int}/close"): "responder",
    ("POST", "/do/attempts/{id:int}/answer"): "responder",
    ("POST", "/do/ack"): "responder",
    ("POST", "/do/take"): "responder",
    ("POST", "/do/halt"): "responder",
    ("POST", "/do/mute"): "operator",
}
OPEN = {"/login", "/welcome/{word}", "/static", "/status", "/status/report"} | {
    "/login/oidc",
    "/login/oidc/back",
}
"""What is shown to whoever is not logged in; of /status only where it is public."""

Sessions = Mapping[str, str]


@pytest.fixture(scope="module")
def sessions(shared_web: Web) -> Sessions:
    return {role: session(shared_web, f"rbac-{role}", role) for role in ORDER}


def path_of(path: str) -> str:
    path = path.replace("{id:int}", "4711").replace("{word}", "agree")
    return re.sub(r"{\w+(:\w+)?}", "nobody", path)


def may(role: str, least: str) -> bool:
    return ORDER.index(role) >= ORDER.index(least)


def test_the_matrix_has_every_page_and_deed_and_every_role() -> None:
    assert {(page.method, page.path): page.role for page in (*PAGES, *DOING)} == PAGE_ROLES
    assert set(ORDER) == {role.value for role in Role}


def test_every_other_address_of_the_console_is_open_on_purpose() -> None:
    routes = Console(Core(Path("nowhere")), secure=True).routes()
    paths = {route.path for route in routes}
    assert paths - {path for _, path in PAGE_ROLES} == {*OPEN, "/live"}


@pytest.mark.parametrize("role", ORDER)
def test_a_page_and_a_deed_refuse_what_the_role_may_not(
    web: Web, sessions: Sessions, role: str
) -> None:
    word = csrf_of(ask(web, "/", cookie=sessions[role]))
    for (method, path), least in PAGE_ROLES.items():
        if path == "/do/logout":
            continue  # it would end the session that the rest is asked with
        answer = asked(web, method, path, sessions[role], {"csrf": word})
        refused = not may(role, least)
        assert (answer.status == 403) is refused, (role, method, path, answer.status)
        assert answer.status < 500, (role, method, path)
        assert b"Only a" in answer.body or not refused


def asked(web: Web, method: str, path: str, cookie: str, form: Mapping[str, str]) -> Answer:
    return ask(web, path_of(path), form if method == "POST" else None, cookie)


def test_whoever_is_not_logged_in_sees_no_page_and_does_no_deed(web: Web) -> None:
    for method, path in PAGE_ROLES:
        for cookie in ("", "mds_nothing"):
            answer = asked(web, method, path, cookie, {"csrf": "x"})
            assert answer.status == (401 if method == "POST" else 303), (method, path)
    assert web.core.calls() == []


def test_every_deed_wants_the_form_word_of_its_session(web: Web, sessions: Sessions) -> None:
    other = csrf_of(ask(web, "/", cookie=sessions["operator"]))
    deeds = [path for method, path in PAGE_ROLES if method == "POST"]
    assert deeds
    before = web.core.calls()
    for path in deeds:
        for form in ({}, {"csrf": ""}, {"csrf": "é"}, {"csrf": other}):
            answer = ask(web, path_of(path), form, sessions["admin"])
            assert (answer.status, b"form is of another session" in answer.body) == (400, True)
    assert web.core.calls() == before
    assert ask(web, "/", cookie=sessions["admin"]).status == 200


@pytest.mark.parametrize("role", ORDER)
def test_a_route_from_outside_refuses_what_the_role_may_not(
    web: Web, sessions: Sessions, role: str
) -> None:
    bearer = {"Authorization": f"Bearer {sessions[role]}"}
    for route in ROUTES:
        if route.path in ("/v1/logout", "/v1/events"):  # the stream has a test of its own
            continue
        answer = outside(web, route, bearer)
        if not route.path.startswith("/v1/"):
            assert answer.status == 404, route.path
            continue
        right = route.right.value
        refused = right in NOBODYS or not may(role, OF_RIGHT[right])
        assert (answer.status == 403) is refused, (role, route.method, route.path, answer.status)
        assert answer.status < 500, (role, route.path)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_no_route_has_another_method(web: Web, sessions: Sessions, method: str) -> None:
    bearer = {"Authorization": f"Bearer {sessions['admin']}"}
    for path in ("/v1/me", "/v1/users/rbac-viewer", "/v1/ack"):
        assert ask_api(web, f"/api{path}", method=method, **bearer).status == 405


def test_from_outside_nobody_is_let_in_without_a_secret(web: Web) -> None:
    for route in (one for one in ROUTES if one.path.startswith("/v1/")):
        answer = outside(web, route, {})
        assert answer.status == 401, route.path


def outside(web: Web, route: Route, headers: Mapping[str, str]) -> Answer:
    body = json.dumps({"no such": "field"}).encode() if route.method == "POST" else None
    return ask_api(web, f"/api{path_of(route.path)}", body, **headers)
