"""/api/v1 from outside: as whom it asks, what it passes on, what it refuses."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest

from monitord.web.console.asked import csrf
from monitord.web.feed import Feed
from monitord.web.pace import Pace
from tests.web.conftest import Answer, Web
from tests.web.test_console import session


def ask(web: Web, path: str, body: bytes | None = None, method: str = "", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method or ("GET" if body is None else "POST"), path, body, given)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, answer.read(), found)
    finally:
        connection.close()


def error(answer: Answer) -> Mapping[str, Any]:
    found = json.loads(answer.body)["error"]
    assert set(found) >= {"text", "cure"}
    return found


@pytest.fixture(scope="module")
def secret(shared_web: Web) -> str:
    return session(shared_web, "api-operator", "operator")


@pytest.fixture
def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_asks_as_its_user_and_no_further(web: Web, secret: str) -> None:
    asked = web.core.client.on_behalf(secret)
    token = asked.post("/v1/tokens", {"about": "grafana", "role": "viewer"})["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    me = json.loads(ask(web, "/api/v1/me", **bearer).body)
    assert (me["name"], me["role"], me["kind"]) == ("api-operator", "viewer", "token")
    answer = ask(web, "/api/v1/incidents?limit=1&all=1", **bearer)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == web.core.client.text("/v1/incidents", limit=1, all=1)
    order = {"selector": "*", "reason": "x", "expires": "2036-01-31T18:00:00Z"}
    refused = ask(web, "/api/v1/ack", json.dumps(order).encode(), **bearer)
    assert (refused.status, web.core.calls("ack")) == (403, [])
    assert "is viewer and may not respond" in error(refused)["text"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xa0"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": f"Bearer {'x' * 201}"},
        {"Authorization": "Bearer mds_nothing"},
        {"Cookie": r'monitord="\240"', "X-Monitord-Form": csrf("\xa0")},
    ],
)
def test_whoever_is_not_known_is_never_asked_for_as_this_process(
    web: Web, headers: dict[str, str]
) -> None:
    for path in ("/api/v1/me", "/api/v1/events"):
        answer = ask(web, path, **headers)
        assert (answer.status, bool(error(answer)["text"])) == (401, True)


def test_a_session_counts_with_its_form_word_only(web: Web, secret: str) -> None:
    cookie = {"Cookie": f"monitord={secret}"}
    for word in ("", "x", csrf("another")):
        assert ask(web, "/api/v1/me", **cookie, X_Monitord_Form=word).status == 401
    answer = ask(web, "/api/v1/me", **cookie, X_Monitord_Form=csrf(secret))
    assert json.loads(answer.body)["name"] == "api-operator"
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"no", 400),
        (b'{"a":' * 50_000, 400),
        (b"\xff", 400),
        (b'{"a": "' + b"x" * 2_200_000 + b'"}', 413),
        (b'{"a": "' + b"x" * 100_000 + b'"}', 413),
        (b'{"selector": 1}', 400),
    ],
)
def test_a_body_that_is_no_object_or_too_long_is_refused(
    web: Web, bearer: dict[str, str], body: bytes, status: int
) -> None:
    answer = ask(web, "/api/v1/ack", body, **bearer)
    assert (answer.status, bool(error(answer)["text"])) == (status, True)
    assert web.core.calls("ack") == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/incidents/999", 404),
        ("GET", f"/api/v1/incidents/{'9' * 5000}", 404),
        ("GET", "/api/v1/../metrics", 404),
        ("GET", "/api/v1/checks?route=x&self=y&limit=x", 400),
        ("GET", f"/api/v1/checks?select={',' * 9000}", 400),
        ("GET", "/api/v1/ack", 405),
        ("DELETE", "/api/v1/users/api-operator", 405),
        ("OPTIONS", "/api/v1/me", 405),
        ("PATCH", "/api/v1/me", 405),
    ],
)
def test_what_there_is_not_is_refused_in_the_apis_own_shape(
    web: Web, bearer: dict[str, str], method: str, path: str, status: int
) -> None:
    answer = ask(web, path, method=method, **bearer)
    assert (answer.status, bool(error(answer)["text"])) == (status, True)


def test_what_happens_is_told_to_many_from_one_follower(web: Web, bearer: dict[str, str]) -> None:
    open_, streams = [], []
    for accept in ("*/*", "text/event-stream") * 5:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
        connection.request("GET", "/api/v1/events", headers={**bearer, "Accept": accept})
        streams.append(connection.getresponse())
        open_.append(connection)
    assert {stream.readline() for stream in streams} == {
        b'{"kind": "alive"}\n',
        b'data: {"kind": "alive"}\n',
    }
    assert ask(web, "/api/v1/events", **bearer).status == 429
    web.core.client.post("/v1/markers", {"text": "deployed 2.1"})
    told = []
    for number, stream in enumerate(streams):
        line = stream.readline() if number % 2 == 0 else (stream.readline(), stream.readline())[1]
        told.append(json.loads(line.removeprefix(b"data: ")))
    for each in (*streams, *open_):
        each.close()
    assert [(one["kind"], "deployed 2.1" in one["text"]) for one in told] == [("mark", True)] * 10


def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    async def read() -> list[dict[str, Any]]:
        feed = Feed(kept=3)
        with feed.reader() as reader:
            for number in range(10):
                feed.publish({"kind": "mark", "text": str(number)})
            feed.broken()
            source = reader.events(quiet=60)
            return [json.loads(await anext(source)) for _ in range(5)]

    alive, lost, *rest = asyncio.run(read())
    assert (alive["kind"], lost["kind"], lost["count"]) == ("alive", "lost", 8)
    assert [one["text"] for one in rest[:2]] == ["8", "9"]
    assert (rest[2]["kind"], rest[2]["count"]) == ("lost", None)


def test_a_quiet_stream_says_that_it_is_alive() -> None:
    async def read() -> str:
        feed = Feed()
        with feed.reader() as reader:
            source = reader.events(quiet=0.001)
            return "".join([await anext(source), await anext(source)])

    assert asyncio.run(read()) == '{"kind": "alive"}' * 2


def test_a_core_that_went_away_is_told_in_the_stream_once(lone_web: Web) -> None:
    bearer = {"Authorization": f"Bearer {session(lone_web, 'eve', 'viewer')}"}
    connection = http.client.HTTPConnection("127.0.0.1", lone_web.port, timeout=30)
    connection.request("GET", "/api/v1/events", headers=bearer)
    stream = connection.getresponse()
    while json.loads(stream.readline())["kind"] != "mark":  # until the follower has begun
        lone_web.core.client.post("/v1/markers", {"text": "deployed"})
    lone_web.core.stop()
    lost = json.loads(stream.readline())
    assert (lost["kind"], lost["count"]) == ("lost", None)
    assert ask(lone_web, "/api/v1/me", **bearer).status == 503
    assert ask(lone_web, "/api/v1/events", **bearer).status == 503
    stream.close()
    connection.close()


def test_a_pace_is_a_burst_and_then_so_many_a_second() -> None:
    pace = Pace(rate=2.0, burst=3, names=2)
    for _ in range(3):
        assert pace.wait("a", 100.0) == 0
        pace.spend("a", 100.0)
    assert (pace.wait("a", 100.0), pace.wait("b", 100.0)) == (0.5, 0)
    assert pace.wait("a", 100.5) == 0
    pace.spend("b", 100.0)
    pace.spend("c", 100.0)
    assert pace.wait("a", 100.0) == 0  # forgotten: what is kept is bounded


def test_too_many_requests_of_one_secret_are_told_to_wait_and_of_another_not(web: Web) -> None:
    one, other = session(web, "busy", "viewer"), session(web, "calm", "viewer")
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    for _ in range(2000):
        connection.request("POST", "/api/v1/ack", b"[]", {"Authorization": f"Bearer {one}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 429:
            break
    assert (answer.status, answer.getheader("retry-after")) == (429, "1")
    connection.close()
    assert ask(web, "/api/v1/me", Authorization=f"Bearer {other}").status == 200
