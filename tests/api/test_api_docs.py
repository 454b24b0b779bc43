"""docs/api.md lists every route with its right, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from monitord.api.app import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_table_of_routes_is_the_table_of_the_program() -> None:
    page = re.findall(r"^\| (GET|POST) \| (\S+) \| (\w+) \| (.+) \|$", PAGE, flags=re.MULTILINE)
    program = [
        (route.method, re.sub(r":\w+}", "}", route.path), route.right.value, route.about)
        for route in ROUTES
    ]
    assert page == program


def test_whatever_changes_more_than_what_is_ones_own_needs_more_than_reading() -> None:
    assert {route.right.value for route in ROUTES if route.method == "POST"} == {
        "respond",
        "operate",
        "admin",
        "ping",
        "link",
        "login",
        "read",
    }
    assert [r.path for r in ROUTES if r.method == "POST" and r.right.value == "read"] == [
        "/v1/logout",  # what is one's own
        "/v1/me/link",
        "/v1/credentials/{id:int}/end",
        "/v1/tokens",
    ]
    assert [route.path for route in ROUTES if route.right.value == "ping"] == [
        "/v1/inbound",
        "/v1/ping",
        "/v1/inbound",
        "/v1/status-page/report",
    ]
