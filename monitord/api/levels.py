"""What people say that bears on service levels: pauses, deadlines, corrections. Bodies and routes.

What follows from it is decided in the engine; how levels stand is told by GET /v1/sla (sla.py).
"""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.bodies import Body, Text
from monitord.api.routes import Asked, Route, row_number
from monitord.clock import as_instant
from monitord.decisions.ticket_document import iso
from monitord.model.ids import EPOCH, IncidentId, Instant
from monitord.model.sla import Corrected
from monitord.serving import read_body
from monitord.store.contract import View


class PauseClocks(Body):
    """POST /v1/incidents/{id}/pause; with `vendor`, who holds it."""

    reason: Text
    expires: AwareDatetime
    vendor: str = ""


class Answered(Body):
    """POST /v1/incidents/{id}/answered; `vendor` may be left out where one holds it."""

    vendor: str = ""


class Deadline(Body):
    """POST /v1/incidents/{id}/deadline; `at` null: there is none any more."""

    at: AwareDatetime | None
    reason: Text
    whose: str = ""


class Correct(Body):
    """POST /v1/corrections; `about` is a service or a check's key."""

    about: Text
    starts: AwareDatetime = Field(alias="from")
    ends: AwareDatetime = Field(alias="to")
    said: Literal["up", "down", "excluded"] = Field(alias="as")
    reason: Text
    approved_by: Text


class Revoke(Body):
    """POST /v1/corrections/{id}/revoke."""

    reason: Text


def listed(view: View) -> dict[str, Any]:
    """Give all corrections that are kept, revoked ones too."""
    return {"corrections": [shown(one) for one in view.corrections(EPOCH)]}


def shown(row: Corrected) -> dict[str, Any]:
    """Give a correction as JSON values."""
    times = {name: iso(getattr(row, name)) for name in ("starts", "ends", "given", "revoked")}
    return {**asdict(row), **times}


async def pause(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/pause."""
    body = bodies.parse(PauseClocks, await read_body(asked.request, bodies.LONGEST))
    number, expires = _incident(asked), as_instant(body.expires)
    said = {"reason": body.reason, "vendor": body.vendor}
    await asked.engine.levels.pause(number, by=asked.person.name, expires=expires, **said)
    return {"paused": number, "until": iso(expires)}


async def resume(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/resume."""
    bodies.parse(bodies.Nothing, await read_body(asked.request, bodies.LONGEST))
    number = _incident(asked)
    await asked.engine.levels.resume(number, by=asked.person.name)
    return {"resumed": number}


async def answered(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/answered."""
    body = bodies.parse(Answered, await read_body(asked.request, bodies.LONGEST))
    number = _incident(asked)
    await asked.engine.levels.answered(number, by=asked.person.name, vendor=body.vendor)
    return {"answered": number}


async def deadline(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/deadline."""
    body = bodies.parse(Deadline, await read_body(asked.request, bodies.LONGEST))
    number, at = _incident(asked), as_instant(body.at) if body.at is not None else None
    said = {"whose": body.whose, "reason": body.reason}
    await asked.engine.levels.deadline(number, at, by=asked.person.name, **said)
    return {"incident": number, "deadline": iso(at)}


async def corrections(asked: Asked) -> Any:
    """GET /v1/corrections."""
    return await asked.engine.store.read(listed)


async def correct(asked: Asked) -> Any:
    """POST /v1/corrections."""
    body = bodies.parse(Correct, await read_body(asked.request, bodies.LONGEST))
    wanted = Corrected(
        0,
        body.about,
        as_instant(body.starts),
        as_instant(body.ends),
        body.said,
        body.reason,
        asked.person.name,
        Instant(0),  # the engine says when
        body.approved_by,
    )
    return shown(await asked.engine.levels.correct(wanted))


async def revoke(asked: Asked) -> Any:
    """POST /v1/corrections/{id}/revoke."""
    body = bodies.parse(Revoke, await read_body(asked.request, bodies.LONGEST))
    number = row_number(asked, "correction")
    await asked.engine.levels.revoke(number, by=asked.person.name, reason=body.reason)
    return {"revoked": number}


def _incident(asked: Asked) -> IncidentId:
    return IncidentId(row_number(asked, "incident"))


_INCIDENT = "/v1/incidents/{id:int}"
LEVELS: tuple[Route, ...] = (
    Route(
        "POST",
        f"{_INCIDENT}/pause",
        Right.OPERATE,
        pause,
        "have its clocks stand still",
        body=PauseClocks,
    ),
    Route(
        "POST",
        f"{_INCIDENT}/resume",
        Right.OPERATE,
        resume,
        "have its clocks go on",
        body=bodies.Nothing,
    ),
    Route(
        "POST",
        f"{_INCIDENT}/answered",
        Right.RESPOND,
        answered,
        "its vendor has answered",
        body=Answered,
    ),
    Route(
        "POST",
        f"{_INCIDENT}/deadline",
        Right.OPERATE,
        deadline,
        "by when a customer wants it",
        body=Deadline,
    ),
    Route("GET", "/v1/corrections", Right.READ, corrections, "what availability was corrected by"),
    Route(
        "POST",
        "/v1/corrections",
        Right.OPERATE,
        correct,
        "say what a time really was",
        body=Correct,
    ),
    Route(
        "POST",
        "/v1/corrections/{id:int}/revoke",
        Right.OPERATE,
        revoke,
        "take one back",
        body=Revoke,
    ),
)
