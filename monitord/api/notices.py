"""What people were told, counted per person, and a test of their ways: views and routes.

Views read rows, for the API and for the command line without a core.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.bodies import Body, Text
from monitord.api.routes import Asked, Route, asked_since, row_number
from monitord.decisions.ticket_document import iso
from monitord.decisions.told import counted
from monitord.errors import NotFoundError
from monitord.model.ids import Instant
from monitord.model.notice import Notice
from monitord.serving import read_body
from monitord.store.contract import View

SINCE = timedelta(days=7)
_MOST = 100_000


class Test(Body):
    """POST /v1/notices/test; `way` counts from 1."""

    person: Text
    way: Annotated[int, Field(ge=1)] | None = None


def document(view: View, people: Iterable[str], *, since: Instant) -> dict[str, Any]:
    """Give what each person was told since then; who was told nothing is there with zeros."""
    found = counted(view.notices(since=since, limit=_MOST), people)
    return {"since": iso(since), "people": [asdict(one) for one in found]}


def shown(notice: Notice) -> dict[str, Any]:
    """Give a notice as JSON values; `tried` is how often a way did not take it."""
    return {
        "notice": notice.id,
        "person": notice.person,
        "kind": notice.kind.value,
        "incident": notice.incident or None,
        "title": notice.title,
        "status": notice.status.value,
        "created": iso(notice.created),
        "due": iso(notice.due_at),
        "sent": iso(notice.sent),
        "told_by": notice.told_by,
        "tried": notice.tries,
        "last_error": notice.last_error,
    }


async def listed(asked: Asked) -> Any:
    """GET /v1/notices: `since` (7 days ago)."""
    since, people = asked_since(asked, SINCE), asked.engine.catalog.people
    return await asked.engine.store.read(lambda view: document(view, people, since=since))


async def one(asked: Asked) -> Any:
    """GET /v1/notices/{id}."""
    number = row_number(asked, "notice")
    notice = await asked.engine.store.read(lambda view: view.notice(number))
    if notice is None:
        raise NotFoundError(f"there is no notice {number}; old ones are not kept")
    return shown(notice)


async def test(asked: Asked) -> Any:
    """POST /v1/notices/test."""
    body = bodies.parse(Test, await read_body(asked.request, bodies.LONGEST))
    way, by = body.way, asked.person.name
    return {"notice": await asked.engine.trying.test(body.person, way=way, by=by)}


NOTICES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/notices",
        Right.READ,
        listed,
        "what each person was told; `since`",
        query=("since",),
    ),
    Route("GET", "/v1/notices/{id:int}", Right.READ, one, "one message to one person"),
    Route("POST", "/v1/notices/test", Right.OPERATE, test, "try how a person is told", body=Test),
)
