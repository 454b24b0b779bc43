"""GET /live: the open consoles' stream of server-sent events. It passes on, and decides nothing.

A stream ends soon after its session has, and nobody can hold the connections of all.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse

from monitord.control import CoreDownError, CoreSaysNoError
from monitord.web.console.asked import Asked
from monitord.web.feed import Feed

_EACH, _ALL = 150, 600
"""Streams of one user, and of all: monitord-web takes 1000 connections."""

_QUIET = 5.0  # seconds until a stream on which nothing happens says that it is alive
_MOMENT = 0.5  # seconds in which several changes are one

_BELIEVED = 20.0  # seconds that a session is taken to be in force


class Live:
    """The streams of all consoles."""

    def __init__(self, believed: float = _BELIEVED) -> None:
        self._believed = believed
        self._open: Counter[str] = Counter()

    async def __call__(self, asked: Asked) -> Response:
        """Give the stream of one console."""
        if self._open[asked.me["name"]] >= _EACH or self._open.total() >= _ALL:
            return Response("too many consoles are open; close one\n", 429)
        return StreamingResponse(self._events(asked), media_type="text/event-stream")

    async def _events(self, asked: Asked) -> AsyncIterator[str]:
        name, asked_at = asked.me["name"], time.monotonic()
        self._open[name] += 1
        try:
            yield "retry: 2000\n\n"
            async for kind, data in _wanted(asked):
                if time.monotonic() - asked_at > self._believed:
                    if not await _in_force(asked):
                        return
                    asked_at = time.monotonic()
                body = "\n".join(f"data: {line}" for line in data.splitlines()) or "data:"
                yield f"event: {kind}\n{body}\n\n"
        finally:
            self._open[name] -= 1
            self._open += Counter()  # drops those at zero


def _wanted(asked: Asked) -> AsyncIterator[tuple[str, str]]:
    """Give what a page follows: one incident, one host, or all that *Now* shows."""
    wanted = asked.request.query_params
    incident, host = wanted.get("incident", ""), wanted.get("host", "")
    if incident or host:
        return _changes(asked.board.feed, incident, host, wanted.get("after", ""))
    return asked.board.updates()


async def _changes(
    feed: Feed, incident: str, host: str, mark: str
) -> AsyncIterator[tuple[str, str]]:
    """Give ("changed", "") when something happened to it, and ("alive", "") when it is quiet.

    What comes within a moment is one change, and the last of it is never left out; nor is what
    happened between the page's making and the stream's beginning (or its next, after a break).
    """
    with feed.reader(mark) as reader:
        async for text in reader.events(_QUIET):
            event = json.loads(text)
            if not _is_about(event, incident, host):
                yield "alive", ""
                continue
            await asyncio.sleep(_MOMENT)
            reader.skip()
            yield "changed", ""


def _is_about(event: Mapping[str, Any], incident: str, host: str) -> bool:
    if event["kind"] == "lost":
        return True
    of_host = str(event.get("key") or "").partition("/")[0] == host
    return str(event.get("incident")) == incident or (bool(host) and of_host)


async def _in_force(asked: Asked) -> bool:
    try:
        await asyncio.to_thread(asked.core.get, "/v1/me")
    except CoreSaysNoError:
        return False
    except CoreDownError:
        return True  # then nothing happens that could be told
    return True
