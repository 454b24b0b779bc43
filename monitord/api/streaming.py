"""GET /v1/events: what happens from now on, one JSON object per line (or as server-sent events).

A quiet stream says `{"kind": "alive"}` every 15 s, so that a dead peer is noticed on both sides.
What a reader that is too slow loses is the engine's business (it says so in the stream).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import StreamingResponse

from monitord.api.routes import Asked

QUIET = 15.0
"""Seconds without an event until a line says that the stream is alive."""


async def events(asked: Asked) -> StreamingResponse:
    """Stream events; `Accept: text/event-stream` gives them in that form."""
    as_sse = "text/event-stream" in asked.request.headers.get("accept", "")
    return StreamingResponse(
        _lines(asked.engine.subscribe(), as_sse=as_sse),
        media_type="text/event-stream" if as_sse else "application/x-ndjson",
        headers={"Cache-Control": "no-store"},
    )


async def _lines(source: AsyncIterator[Mapping[str, Any]], *, as_sse: bool) -> AsyncIterator[str]:
    upcoming = asyncio.ensure_future(anext(source, None))
    try:
        await asyncio.sleep(0)  # the subscription begins before the reader is told that it has
        yield _line({"kind": "alive"}, as_sse=as_sse)
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=QUIET)
            if not done:
                yield _line({"kind": "alive"}, as_sse=as_sse)
                continue
            event = upcoming.result()
            if event is None:
                return
            yield _line(event, as_sse=as_sse)
            upcoming = asyncio.ensure_future(anext(source, None))
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        close = getattr(source, "aclose", None)  # an async generator ends its subscription so
        if close is not None:
            await close()


def _line(event: Mapping[str, Any], *, as_sse: bool) -> str:
    text = json.dumps(event, ensure_ascii=False, default=str)
    return f"data: {text}\n\n" if as_sse else f"{text}\n"
