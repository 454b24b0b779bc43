"""A page's mark in the stream of events: nothing is missed between its making and its stream."""

from __future__ import annotations

import asyncio
import html
import http.client
import json
import re
from typing import Any

import pytest

from monitord.web.feed import Feed
from tests.web.conftest import Web
from tests.web.test_console import ask, session


def _told(feed: Feed, mark: str) -> list[dict[str, Any]]:
    """Give what a reader with this mark is told at once, but for `alive`."""

    async def read() -> list[dict[str, Any]]:
        with feed.reader(mark) as reader:
            source = reader.events(quiet=0.001)
            told = [json.loads(await anext(source))]
            while told[-1]["kind"] != "alive" or len(told) == 1:
                told.append(json.loads(await anext(source)))
        return told[1:-1]

    return asyncio.run(read())


def _publish(feed: Feed, *texts: str) -> None:
    for text in texts:
        feed.publish({"kind": "mark", "text": text})


def test_a_reader_with_a_mark_is_told_what_came_after_it() -> None:
    feed = Feed()
    _publish(feed, "before")
    mark = feed.mark
    _publish(feed, "one", "two")
    assert [one["text"] for one in _told(feed, mark)] == ["one", "two"]
    assert _told(feed, feed.mark) == []
    assert _told(feed, "") == []


def test_what_was_missed_is_lost_where_it_is_not_known() -> None:
    feed = Feed(kept=3)
    mark = feed.mark
    _publish(feed, *"abcd")
    foreign, ahead = Feed().mark, f"{mark.partition('.')[0]}.99"
    for unknown in (
        mark,
        foreign,
        ahead,
        "x",
        ".",
        f"{mark}\N{SUPERSCRIPT TWO}",
        f"{mark}{'9' * 99}",
    ):
        assert [one["kind"] for one in _told(feed, unknown)] == ["lost"], unknown


@pytest.mark.parametrize("path", ["/incidents/1", "/tickets/1"])
def test_what_happens_while_a_page_is_on_its_way_is_told_when_it_arrives(
    web: Web, path: str
) -> None:
    cookie = session(web, f"far{len(path)}", "viewer")
    page = ask(web, path, cookie=cookie).body.decode()
    found = re.search('sse-connect="([^"]+)"', page)
    assert found
    web.core.client.post("/v1/incidents/1/answered", {"vendor": "acme"})
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    headers = {"Cookie": f"monitord={cookie}", "Accept": "text/event-stream"}
    connection.request("GET", html.unescape(found[1]), headers=headers)
    with connection.getresponse() as stream:
        while not (line := stream.readline()).startswith(b"event: changed"):
            assert line
    connection.close()
