"""What targets and people say, on every page of the console: shown, and never part of the page."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

from starlette.requests import Request

from monitord.control import Core
from monitord.web.console.asked import Asked, Page
from monitord.web.console.board import Board
from monitord.web.console.pages import PAGES
from monitord.web.console.render import environment
from tests.web.conftest import Web
from tests.web.test_console import session
from tests.world.vectors import vector

_KEPT = frozenset(
    {"status", "severity", "priority", "kind", "hard", "verb", "tier", "attempt_status", "phase"}
) | {"user"}  # the core takes no name of a user but of small letters, digits and . _ @ -
_TIME = re.compile(r"\d{4}-\d\d-\d\dT|\d+ ?[smhd]$")
# The core of these tests runs no chain: the pages of one are not among them.
_SHOWN = [one for one in PAGES if one.method == "GET" and not one.path.startswith("/chains/")]
_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def _poisoned(value: Any, said: str, name: str = "") -> Any:
    """Give an answer of the core in which every text that somebody writes is this one."""
    if isinstance(value, dict):
        return {each: _poisoned(one, said, each) for each, one in value.items()}
    if isinstance(value, list):
        return [_poisoned(one, said, name) for one in value]
    if not isinstance(value, str) or name in _KEPT or _TIME.match(value):
        return value
    return said


class _Hostile(Core):
    """The core of the test, asked once; what it says is as hostile as `said`."""

    said, kept = "plain", dict[str, Any]()

    def get(self, route: str, **query: Any) -> Any:
        if route not in self.kept:
            self.kept[route] = super().get(route, **query)
        return _poisoned(self.kept[route], self.said)

    def post(self, route: str, body: Any) -> Any:
        if route not in self.kept:
            self.kept[route] = super().post(route, body)
        return _poisoned(self.kept[route], self.said)


class _Shape(HTMLParser):
    """A page's elements with the names of their attributes, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.links += [v or "" for n, v in attrs if n in ("href", "src", "action", "data-open")]


def _hostile_strings() -> list[str]:
    kinds = ("html_js", "template", "ansi_osc", "bidi", "crlf", "markdown")
    cases = vector("fuzz/hostile_strings.json")["cases"]
    found = [one["value"] for one in cases if one["kind"] in kinds and one["encoding"] == "text"]
    return [*found, '" onx=1 ', "a\ud800b", "'><p>", "{{7*7}}", "javascript:alert(1)", "//evil/"]


def test_nothing_that_is_said_changes_the_shape_of_a_page(web: Web) -> None:
    secret = session(web, "shape", "admin")
    told = {"service": "The online shop", "text": "the basket is empty"}
    web.core.client.post("/v1/status-page/report", told)
    core = _Hostile(web.core.socket, timeout=10, secret=secret)
    pages, me = environment(), web.core.client.on_behalf(secret).get("/v1/me")
    ids = {"id": 1, "name": "web1", "key": "web1/site"}
    ids |= {"service": "shop", "runbook": "restart-nginx", "month": "2026-11"}

    async def shown(page: Page) -> str:
        path = re.sub(r"{(\w+)(:\w+)?}", lambda found: str(ids[found[1]]), page.path)
        query = b"verb=mute&selector=web1&reason=x&for=1h" if "preview" in path else b""
        scope = {"type": "http", "path": path, "query_string": query, "headers": []}
        board = Board(core, pages)
        request = Request({**scope, "path_params": ids, "method": "GET"})
        answer = await page.handler(Asked(request, core, me, secret, pages, board))
        if "attachment" in answer.headers.get("content-disposition", ""):
            return "plain"  # no page: it is kept as a file
        assert answer.media_type in ("text/html", "application/json")
        return bytes(answer.body).decode()

    async def play() -> None:
        plain = {}
        for said in ("plain", *_hostile_strings()):
            core.said = said
            for page in _SHOWN:
                text = await shown(page)
                # A menu, or a list with nothing in it, shows nothing that anybody said.
                silent = page.path in ("/more", "/chains")
                assert said != "plain" or "plain" in text or silent, page.path
                shape = _Shape(text)
                assert not _UNSEEN.search(text), (page.path, said)
                assert shape.found == plain.setdefault(page.path, shape.found), (page.path, said)
                assert all(re.match(r"[/#?](?!/)|$", one) for one in shape.links), shape.links

    asyncio.run(play())
