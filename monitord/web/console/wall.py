"""The console's page for a screen across the room: what Now shows, and nobody has to touch it.

It shows the same picture as all consoles; what differs is the stylesheet, and a script that keeps
the page alive.
"""

from starlette.responses import Response

from monitord.web.console.asked import Asked, Page


async def wall(asked: Asked) -> Response:
    """GET /wall."""
    now = await asked.board.fresh()
    instance = (now or {}).get("instance", "")
    cells = await asked.board.cells()
    return asked.page("wall.html", part=asked.board.fragment, map=cells, instance=instance)


WALL = (Page("GET", "/wall", "viewer", wall),)
