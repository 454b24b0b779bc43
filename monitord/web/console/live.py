"""GET /live: the open consoles' stream of server-sent events. It passes on, and decides nothing."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from monitord.web.console.board import Board


def live(board: Board) -> Response:
    """Give the stream of one console."""
    return StreamingResponse(_events(board), media_type="text/event-stream")


async def _events(board: Board) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for name, data in board.updates():
        body = "\n".join(f"data: {line}" for line in data.splitlines()) or "data:"
        yield f"event: {name}\n{body}\n\n"
