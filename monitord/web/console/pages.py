"""The console's pages that only show: each asks the core in the person's name and renders.

A page is a function and a template; which there are is the table at the end.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from monitord.control import CoreSaysNoError
from monitord.web.console.asked import Asked, Page
from monitord.web.console.duty import DUTY
from monitord.web.console.lists import LISTS
from monitord.web.console.looking import LOOKING


async def now(asked: Asked) -> Response:
    """GET /: what needs a person, what is at work, and how all hosts are."""
    await asked.board.fresh()
    return asked.page("now.html", part=asked.board.fragment)


async def incident(asked: Asked) -> Response:
    """GET /incidents/{id}."""
    number = asked.request.path_params["id"]
    found = await asked.get(f"/v1/incidents/{number}")
    ticket, explained = await asyncio.gather(_ticket(asked, found), _explained(asked, found))
    return asked.page("incident.html", one=found, ticket=ticket, explained=explained)


async def _ticket(asked: Asked, incident: Mapping[str, Any]) -> Any:
    return await asked.get(f"/v1/tickets/{incident['ticket']}") if incident["ticket"] else None


async def _explained(asked: Asked, incident: Mapping[str, Any]) -> Any:
    try:
        return await asked.get(f"/v1/explain/{incident['key']}")
    except CoreSaysNoError:
        return None  # an outage of many is no check


PAGES = (
    Page("GET", "/", "viewer", now),
    Page("GET", "/incidents/{id:int}", "viewer", incident),
    *LOOKING,
    *LISTS,
    *DUTY,
)
