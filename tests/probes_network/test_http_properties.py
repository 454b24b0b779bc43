"""Whatever bytes come, in whatever pieces: one verdict, in bounds, and never an exception."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
from datetime import timedelta
from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.model.result import Status
from monitord.probes.network.http_exchange import LIMIT, Exchange
from monitord.probes.network.http_json import parse_path, read_json
from monitord.probes.network.http_judge import Answer, Expectations, judge
from monitord.probes.network.http_spec import HttpSpec, parse_statuses, show_statuses
from tests.probes_network.clean import is_clean

LIMIT_OF_BODY = 64


class Wire(asyncio.Transport):
    """The loop's side of a connection: takes what is written, and knows whether it was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.dropped = False

    def write(self, data: Any) -> None:
        """Keep what the probe sends."""
        self.written += data

    def abort(self) -> None:
        """Note that the probe let go."""
        self.dropped = True


async def received(pieces: list[bytes], *, bodiless: bool = False) -> Exchange:
    exchange = Exchange(b"GET / HTTP/1.1\r\n\r\n", bodiless=bodiless, limit=LIMIT_OF_BODY)
    wire = Wire()
    exchange.connection_made(wire)
    for piece in pieces:
        if not wire.dropped:
            exchange.data_received(piece)
    if not wire.dropped:
        exchange.connection_lost(None)
    assert exchange.done.done()
    return exchange


def outcome(exchange: Exchange) -> tuple[Any, ...]:
    if exchange.failed:
        # Which bytes were at hand when it broke is told in the summary, and depends on the pieces.
        return (exchange.failed.partition(" it said ")[0],)
    return exchange.status, exchange.headers, b"".join(exchange.body), exchange.cut


heads = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 404 No\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 204 None\r\n",
    ]
)
lines = st.sampled_from(
    [
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"X: y\r\n",
        b" folded\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"hello",
        b"x" * 100,
    ]
)
answers = st.builds(
    lambda head, rest: head + b"".join(rest),
    heads,
    st.lists(st.one_of(lines, st.binary(max_size=20)), max_size=12),
)
streams = st.one_of(answers, st.binary(max_size=300))


@given(streams, st.booleans())
@settings(max_examples=500, deadline=None)
def test_any_bytes_come_to_an_end_within_bounds(stream: bytes, bodiless: bool) -> None:
    exchange = asyncio.run(received([stream], bodiless=bodiless))
    assert exchange.size == sum(map(len, exchange.body)) <= LIMIT_OF_BODY
    assert bool(exchange.failed) != bool(exchange.status)
    assert len(exchange.failed) < 400


@given(answers, st.lists(st.integers(0, 300), max_size=8))
@settings(max_examples=500, deadline=None)
def test_how_the_network_cuts_an_answer_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges) if b > a]
    whole, cut = asyncio.run(received([stream])), asyncio.run(received(pieces))
    assert outcome(whole) == outcome(cut)


class Buggy(Exchange):
    """An exchange with a bug of ours in it."""

    def on_body(self, data: bytes) -> None:
        """Fail as a bug does."""
        raise ZeroDivisionError(data)


def test_a_bug_of_ours_is_raised_and_not_blamed_on_the_target() -> None:
    async def fetched() -> None:
        exchange = Buggy(b"", bodiless=False, limit=9)
        exchange.connection_made(Wire())
        exchange.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        exchange.connection_lost(None)
        await exchange.done

    with pytest.raises(httptools.HttpParserCallbackError):
        asyncio.run(fetched())


SPECS = [
    HttpSpec.model_validate({"url": "http://h/", **more})
    for more in (
        {},
        {"status": 200, "body": "ok"},
        {"regex": "o+k", "not_regex": "(?i)err"},
        {"json": [{"path": "a[0].b", "equals": "ok"}, {"path": "n", "warning": 5, "critical": 9}]},
        {"expect_headers": {"Content-Type": "html"}, "warning": "1s", "critical": "2s"},
        {"tls": {"expires": {"warning": "21d", "critical": "7d"}}, "read": 50},
    )
]
documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abn"), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=100),
    documents.map(lambda document: json.dumps(document).encode()),
    st.binary(max_size=100).map(gzip.compress),
    st.text(max_size=30).map(lambda text: text.encode("utf-16")),
)
header = st.tuples(
    st.sampled_from([b"content-type", b"content-encoding", b"set-cookie", b"x"]),
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([b"gzip", b"deflate", b"br", b"text/html; charset=utf-16", b"charset=x"]),
    ),
)
answer = st.builds(
    Answer,
    status=st.integers(100, 999),
    headers=st.lists(header, max_size=4),
    body=bodies,
    cut=st.sampled_from(["", LIMIT, "connection closed after 3 of 5 bytes"]),
    elapsed=st.floats(0, 100),
    connect=st.floats(0, 100),
    left=st.none() | st.timedeltas(timedelta(days=-4000), timedelta(days=4000)),
    secrets=st.lists(st.text(min_size=4, max_size=6), max_size=2).map(tuple),
)


@given(st.sampled_from(SPECS), answer)
@settings(max_examples=1000, deadline=None)
def test_every_answer_gets_one_clean_verdict(spec: HttpSpec, answer: Answer) -> None:
    result = judge(Expectations(spec), answer)
    assert result.status in (Status.OK, Status.WARNING, Status.CRITICAL)
    assert result.summary.startswith("http://h/: ")
    assert is_clean(result.summary)
    assert len(result.summary) <= 400
    assert len(result.details) <= 4000
    if answer.status not in spec.status or (answer.cut and answer.cut != LIMIT):
        assert result.status is Status.CRITICAL
    if spec is SPECS[0] and answer.status in spec.status and not answer.cut:
        assert result.status is Status.OK
    json.dumps([[m.name, m.value] for m in result.measurements], allow_nan=False)


@given(st.sets(st.integers(100, 599), min_size=1, max_size=40))
def test_status_sets_are_shown_as_they_are_read(codes: set[int]) -> None:
    assert parse_statuses(show_statuses(frozenset(codes))) == codes


@given(st.binary(max_size=200))
def test_hostile_json_is_a_value_or_a_value_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_json(body)


steps = st.one_of(
    st.integers(-99, 99),
    st.text(st.characters(exclude_characters="\"'.[]", exclude_categories=("Z", "C")), min_size=1),
)


@given(st.lists(steps, max_size=4))
def test_paths_are_read_as_they_are_written(path: list[str | int]) -> None:
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    assert parse_path("$" + written) == tuple(path)
    quoted = "".join(f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in path)
    assert parse_path(quoted) == tuple(path)
