"""The console as somebody with bad intent meets it, with and without a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from monitord.control import Core, CoreSaysNoError
from monitord.web import app as web_app
from monitord.web.console import live as live_module
from monitord.web.console.asked import Asked
from monitord.web.console.live import Live
from monitord.web.console.render import environment
from tests.web.conftest import Web
from tests.web.test_console import ask, csrf_of, session


@pytest.mark.parametrize("path", ["/login", "/welcome/mdl_x", "/do/ack"])
def test_a_form_that_is_a_bomb_is_refused_in_a_sentence(web: Web, path: str) -> None:
    cookie = session(web, f"bomb-{path.count('l')}-{len(path)}", "responder")
    many = {f"f{n}": "x" for n in range(150)}
    assert ask(web, path, many, cookie).status == 400
    long = ask(web, path, {"name": "x" * 70_000}, cookie)
    assert (long.status, b"send less" in long.body) == (413, True)


@pytest.mark.parametrize("host", ["[", "a/do/halt?", "evil.example"])
def test_the_host_that_somebody_names_changes_nothing(web: Web, host: str) -> None:
    cookie = session(web, f"host{len(host)}", "responder")
    page = ask(web, "/", cookie=cookie, Host=host)
    assert page.status == 200
    assert b"evil.example" not in page.body
    sent = ask(web, "/incidents", Host=host)
    assert (sent.status, sent.headers["location"]) == (303, "/login?to=%2Fincidents")
    form = {"selector": "web1/site", "reason": "x", "for": "1h", "csrf": csrf_of(page)}
    ask(web, "/do/ack", form, cookie, Host=host)
    assert (len(web.core.calls("ack")), web.core.calls("halt")) == (1, [])


def test_what_was_done_is_said_in_any_script_and_length(web: Web) -> None:
    cookie = session(web, "uni", "responder")
    form = {"selector": "web1/site", "reason": "x", "for": "1h"}
    form["csrf"] = csrf_of(ask(web, "/", cookie=cookie))
    made = ask(web, "/do/ack", {**form, "selector": "\N{SNOWMAN}" * 300}, cookie)
    assert made.status in (303, 400, 409)
    asked = Asked(Request({"type": "http", "query_string": b""}), *([Any] * 5))  # type: ignore[arg-type] # only the request counts here
    for said in ("\N{SNOWMAN}" * 1000, "a\ud800b", 'x"; Domain=evil\r\nSet-Cookie: a=b'):
        (given,) = [v for k, v in asked.back(said).raw_headers if k == b"set-cookie"]
        assert len(given) < 4000
        assert b"\r" not in given
        assert b"Domain" not in given.replace(b"Domain%", b"")


def test_the_log_holds_no_secret_of_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    async def fails(request: Request) -> Any:
        raise RuntimeError("broken")

    scope = {"type": "http", "path": "/approve/1-secretword", "path_params": {"word": "1-secret"}}
    answer = asyncio.run(web_app._guarded(fails)(Request(scope)))
    said = capsys.readouterr()
    assert answer.status_code == 500
    assert "RuntimeError" in said.out + said.err
    assert "secret" not in said.out + said.err


class _Board:
    def __init__(self) -> None:
        self.gone = False

    async def updates(self) -> AsyncIterator[tuple[str, str]]:
        while True:
            yield "now", "a\rb\u2028event: evil\n\ndata: x"
            await asyncio.sleep(0)


def test_the_stream_ends_with_its_session_and_no_text_begins_an_event(web: Web) -> None:
    secret = session(web, "streamer", "viewer")
    core: Core = web.core.client.on_behalf(secret)
    request = Request({"type": "http", "query_string": b""})
    asked = Asked(request, core, {"name": "streamer"}, secret, environment(), _Board())  # type: ignore[arg-type] # a board that never waits

    async def play() -> None:
        answer = await Live(believed=0.0)(asked)
        events = aiter(answer.body_iterator)
        await anext(events)
        told = str(await anext(events))
        assert all(line.startswith("data: ") for line in told.strip().splitlines()[1:])
        core.post("/v1/logout", {})
        assert [one async for one in events] == []

    asyncio.run(play())


def test_one_user_cannot_hold_the_connections_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "_EACH", 3)

    async def play() -> None:
        streams = Live()

        def of(name: str) -> Any:
            return SimpleNamespace(me={"name": name}, board=_Board())

        opened = [await streams(of("kim")) for _ in range(3)]
        iterators = [aiter(one.body_iterator) for one in opened]  # type: ignore[attr-defined] # a stream
        for one in iterators:
            await anext(one)
        assert (await streams(of("kim"))).status_code == 429
        assert (await streams(of("lee"))).status_code == 200
        await iterators[0].aclose()
        assert (await streams(of("kim"))).status_code == 200

    asyncio.run(play())


def test_a_web_process_that_is_taken_over_may_what_its_user_may(web: Web) -> None:
    """With a viewer's session, whatever else it sends along, nothing is commanded."""
    core = web.core.client.on_behalf(session(web, "taken", "viewer"))
    for route, body in (
        ("/v1/halt", {"selector": "*", "reason": "x", "expires": "2030-01-01T00:00:00Z"}),
        ("/v1/users", {"name": "evil", "role": "admin"}),
        ("/v1/users/taken", {"role": "admin"}),
        ("/v1/attempts/1/approve", {}),
        ("/v1/link/use", {"word": "x", "yes": True, "name": "kim"}),
        ("/v1/login", {"name": "kim", "password": "x"}),
        ("/v1/ping", {"key": "nightly", "event": "start", "at": 1}),
    ):
        with pytest.raises(CoreSaysNoError) as refused:
            core.post(route, body)
        assert refused.value.status == 403, route
    given = core.post("/v1/tokens", {"about": "x", "role": "admin"})
    assert given["role"] == "viewer"
    with pytest.raises(CoreSaysNoError, match="only an admin"):
        core.post("/v1/tokens", {"about": "x", "user": "kim"})
