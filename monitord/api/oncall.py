"""Who is on call, and what people say about shifts: views and routes.

Views read rows and the catalog, for the API and for the command line without a core. What a change
means is decided in decisions/oncall.py; the engine makes it in the person's name.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, Field

from monitord.api import bodies, ics
from monitord.api.access import Right
from monitord.api.bodies import BadBodyError, Body, Text
from monitord.api.routes import Asked, Route, row_number
from monitord.clock import after, as_instant
from monitord.config.names import nearest
from monitord.decisions import oncall
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.oncall import Override, Rotation, Shift, Wanted
from monitord.serving import read_body
from monitord.store.contract import View

DAYS = 7
"""How far is shown unless told otherwise."""

LONGEST_DAYS = 400
"""How far at most."""

GAP_DAYS = 28
"""How far gaps are looked for unless told otherwise."""

_YEARS = range(2000, 2200)
_ICS_DAYS = 90
_ICS_BACK = timedelta(days=35)  # so that a shift keeps its beginning, and so its UID, while it runs


def rotations(catalog: Catalog, name: str) -> list[Rotation]:
    """Give the rotation of a name, or all where it is empty.

    Raises:
        NotFoundError: there is none of that name.
    """
    known = catalog.rotations
    if name and name not in known:
        raise NotFoundError(f"there is no rotation {name}{nearest(name, known)}")
    return [known[name]] if name else [known[one] for one in sorted(known)]


def document(view: View, catalog: Catalog, name: str, at: Instant, until: Instant) -> Any:
    """Give who is on call at an instant, and the shifts, gaps and changes from it to another."""
    return {
        "at": iso(at),
        "until": iso(until),
        "rotations": [_rotation(view, catalog, one, at, until) for one in rotations(catalog, name)],
    }


def _rotation(
    view: View, catalog: Catalog, rotation: Rotation, at: Instant, until: Instant
) -> dict[str, Any]:
    written = view.shift_changes(rotation=rotation.name, since=at, until=until)
    counted = oncall.of_people(written, catalog.people)
    found = oncall.gaps(rotation, counted, at, until)
    return {
        "rotation": rotation.name,
        "timezone": rotation.layers[0].zone,
        "place": rotation.place,
        "on": list(oncall.on_call(rotation, counted, at)),
        "shifts": [shift(one) for one in oncall.shifts(rotation, counted, at, until)],
        "gaps": [{"starts": iso(low), "ends": iso(high)} for low, high in found],
        "changes": [change(one) for one in written if one.ended is None],
    }


def shift(of: Shift) -> dict[str, Any]:
    """Give one shift; `change` is the number of what changed it, or null."""
    return {
        "person": of.person,
        "starts": iso(of.starts),
        "ends": iso(of.ends),
        "layer": of.layer or None,
        "change": of.override or None,
        "beside": of.beside,
    }


def change(of: Override) -> dict[str, Any]:
    """Give one change of shifts; `counts` tells whether anybody is on call by it."""
    return {
        "change": of.id,
        "rotation": of.rotation,
        "kind": of.kind.value,
        "person": of.person,
        "instead": of.instead,
        "beside": of.beside,
        "starts": iso(of.starts),
        "ends": iso(of.ends),
        "by": of.by,
        "given": iso(of.given),
        "reason": of.reason,
        "with": of.pair or None,
        "agreed": iso(of.agreed),
        "agreed_by": of.agreed_by,
        "ended": iso(of.ended),
        "ended_by": of.ended_by,
        "counts": oncall.counts(of) and of.ended is None,
    }


def as_ics(view: View, catalog: Catalog, name: str, now: Instant, days: int) -> str:
    """Give the shifts of a rotation as an iCalendar text, those that are not over yet."""
    (rotation,) = rotations(catalog, name)
    start, end = after(now, -_ICS_BACK), after(now, timedelta(days=days))
    changes = view.shift_changes(rotation=name, since=start, until=end)
    found = oncall.shifts(rotation, oncall.of_people(changes, catalog.people), start, end)
    return ics.write(name, [one for one in found if one.ends > now], now=now)


# --- the routes


class Change(Body):
    """POST /v1/oncall/override; with `instead` only where that person would be on."""

    rotation: Text
    person: Text
    starts: AwareDatetime | None = None
    ends: AwareDatetime
    reason: Text
    instead: str = ""
    beside: bool = False


class Swap(Body):
    """POST /v1/oncall/swap: who asks and `person` exchange their shifts of that time."""

    rotation: Text
    person: Text
    starts: AwareDatetime
    ends: AwareDatetime
    reason: Text


class Take(Body):
    """POST /v1/oncall/take; without `ends` until the shift that is on ends."""

    rotation: Text
    ends: AwareDatetime | None = None
    reason: str = ""


class Import(Body):
    """POST /v1/oncall/import: an iCalendar text; each event is an override."""

    rotation: Text
    ics: str = Field(max_length=ics.LONGEST)
    reason: Text


async def show(asked: Asked) -> Any:
    """GET /v1/oncall: `rotation`, `at` (now), `days` (7)."""
    at, catalog = _at(asked), asked.engine.catalog
    name = asked.request.query_params.get("rotation", "")
    until = after(at, timedelta(days=_days(asked, DAYS)))
    return await asked.engine.store.read(lambda view: document(view, catalog, name, at, until))


async def calendar(asked: Asked) -> Any:
    """GET /v1/oncall/ics: `rotation`, `days` (90)."""
    now, catalog, days = asked.engine.now(), asked.engine.catalog, _days(asked, _ICS_DAYS)
    name = asked.request.query_params.get("rotation", "")
    if not name:
        raise BadBodyError("rotation is missing; write rotation=linux")
    text = await asked.engine.store.read(lambda view: as_ics(view, catalog, name, now, days))
    return {"rotation": name, "ics": text}


def _days(asked: Asked, default: int) -> int:
    text = asked.request.query_params.get("days", str(default))
    if not text.isdecimal() or not 0 < int(text[:4]) <= LONGEST_DAYS:
        raise BadBodyError(f"days={text}: not a number from 1 to {LONGEST_DAYS}; write days=7")
    return int(text)


def _at(asked: Asked) -> Instant:
    text = asked.request.query_params.get("at")
    if not text:
        return asked.engine.now()
    try:
        moment = datetime.fromisoformat(text)
        if moment.year in _YEARS:
            return as_instant(moment)
    except (ValueError, OverflowError):
        pass
    raise BadBodyError(
        f"at={text}: no point in time with a zone that is near; write at=2027-01-31T18:00:00Z"
    )


async def override(asked: Asked) -> Any:
    """POST /v1/oncall/override."""
    body = await _body(asked, Change)
    wanted = Wanted(
        body.rotation,
        body.person,
        as_instant(body.starts) if body.starts else asked.engine.now(),
        as_instant(body.ends),
        body.reason,
        body.instead,
        body.beside,
    )
    return _changed(await asked.engine.oncall.override([wanted], by=asked.person.name))


async def swap(asked: Asked) -> Any:
    """POST /v1/oncall/swap."""
    body = await _body(asked, Swap)
    starts, ends = as_instant(body.starts), as_instant(body.ends)
    wanted = Wanted(body.rotation, body.person, starts, ends, body.reason)
    return _changed(await asked.engine.oncall.swap(wanted, by=asked.person.name))


async def take(asked: Asked) -> Any:
    """POST /v1/oncall/take."""
    body = await _body(asked, Take)
    until = as_instant(body.ends) if body.ends else None
    return _changed(
        await asked.engine.oncall.take(
            body.rotation, by=asked.person.name, reason=body.reason, until=until
        )
    )


async def agree(asked: Asked) -> Any:
    """POST /v1/oncall/{id}/agree."""
    await _body(asked, bodies.Nothing)
    number = row_number(asked, "shift change")
    return _changed(await asked.engine.oncall.agree(number, by=asked.person.name))


async def end(asked: Asked) -> Any:
    """POST /v1/oncall/{id}/end."""
    await _body(asked, bodies.Nothing)
    number = row_number(asked, "shift change")
    return _changed(await asked.engine.oncall.end(number, by=asked.person.name))


async def take_ics(asked: Asked) -> Any:
    """POST /v1/oncall/import."""
    text = await read_body(asked.request, ics.LONGEST_BODY)
    body, catalog = bodies.parse(Import, text), asked.engine.catalog
    (rotation,) = rotations(catalog, body.rotation)
    events = await asyncio.to_thread(ics.read, body.ics, rotation, catalog.people)
    now = asked.engine.now()
    wanted = [
        Wanted(body.rotation, one.person, one.starts, one.ends, body.reason)
        for one in events
        if one.ends > now  # a plan of the month is read in the middle of it, too
    ]
    if not wanted:
        raise BadBodyError("all events of the file are over")
    return _changed(await asked.engine.oncall.override(wanted, by=asked.person.name))


async def _body(asked: Asked, shape: type[bodies.B]) -> bodies.B:
    return bodies.parse(shape, await read_body(asked.request, bodies.LONGEST))


def _changed(found: Iterable[Override]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return {"changes": [change(one) for one in found]}


ONCALL = (
    Route(
        "GET",
        "/v1/oncall",
        Right.READ,
        show,
        "who is on call; `rotation`, `at`, `days`",
        query=("rotation", "at", "days"),
    ),
    Route(
        "GET",
        "/v1/oncall/ics",
        Right.READ,
        calendar,
        "a `rotation`'s shifts as iCalendar",
        query=("rotation", "days"),
    ),
    Route(
        "POST", "/v1/oncall/override", Right.OPERATE, override, "put somebody on call", body=Change
    ),
    Route("POST", "/v1/oncall/swap", Right.RESPOND, swap, "propose to exchange shifts", body=Swap),
    Route("POST", "/v1/oncall/take", Right.RESPOND, take, "take the shift that is on", body=Take),
    Route(
        "POST",
        "/v1/oncall/import",
        Right.OPERATE,
        take_ics,
        "overrides from an iCalendar text",
        body=Import,
    ),
    Route(
        "POST",
        "/v1/oncall/{id:int}/agree",
        Right.RESPOND,
        agree,
        "say yes to a swap",
        body=bodies.Nothing,
    ),
    Route(
        "POST",
        "/v1/oncall/{id:int}/end",
        Right.OPERATE,
        end,
        "end a change of shifts",
        body=bodies.Nothing,
    ),
)
