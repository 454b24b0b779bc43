"""GET /live: the open consoles' stream of server-sent events. It passes on, and decides nothing.

A stream ends soon after its session has, and nobody can hold the connections of all.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from monitord.control import CoreDownError, CoreSaysNoError
from monitord.web.console.asked import Asked

_EACH, _ALL = 150, 600
"""Streams of one user, and of all: monitord-web takes 1000 connections."""

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
            async for kind, data in asked.board.updates():
                if time.monotonic() - asked_at > self._believed:
                    if not await _in_force(asked):
                        return
                    asked_at = time.monotonic()
                body = "\n".join(f"data: {line}" for line in data.splitlines()) or "data:"
                yield f"event: {kind}\n{body}\n\n"
        finally:
            self._open[name] -= 1
            self._open += Counter()  # drops those at zero


async def _in_force(asked: Asked) -> bool:
    try:
        await asyncio.to_thread(asked.core.get, "/v1/me")
    except CoreSaysNoError:
        return False
    except CoreDownError:
        return True  # then nothing happens that could be told
    return True
